//! The handshake's bytes out of CRYPTO frames, in order (RFC 9000, section 19.6).

use super::super::{Budget, Buffer, Violation};

/// Bytes of one direction's Initial handshake, at most, and of all that is kept of it. A
/// `ClientHello` has one or two thousand.
const LONGEST: u64 = 64 << 10;

/// Pieces that wait for what is before them, at most.
const PIECES: usize = 64;

/// One direction's bytes, put together.
#[derive(Default)]
pub(super) struct Crypto {
    /// How many bytes were handed on.
    next: u64,
    /// What came early, by offset.
    early: Vec<(u64, Buffer)>,
}

impl Crypto {
    /// Takes a frame and hands on what continues the stream.
    pub(super) fn frame(
        &mut self,
        offset: u64,
        data: &[u8],
        budget: &Budget,
        mut hand_on: impl FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        if offset.saturating_add(data.len() as u64) > LONGEST {
            return Err(Violation("quic handshake too long"));
        }
        if offset > self.next {
            return self.keep(offset, data, budget);
        }
        self.continue_with(offset, data, &mut hand_on)?;
        while self.early.first().is_some_and(|(offset, _)| *offset <= self.next) {
            let (offset, data) = self.early.remove(0);
            self.continue_with(offset, data.bytes(), &mut hand_on)?;
        }
        Ok(())
    }

    /// Hands on what is new of a piece that begins at or before the next byte.
    fn continue_with(
        &mut self,
        offset: u64,
        data: &[u8],
        hand_on: &mut impl FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let known = (self.next - offset) as usize;
        match data.get(known..) {
            None | Some([]) => Ok(()),
            Some(new) => {
                self.next += new.len() as u64;
                hand_on(new)
            }
        }
    }

    fn keep(&mut self, offset: u64, data: &[u8], budget: &Budget) -> Result<(), Violation> {
        let end = offset + data.len() as u64;
        let covers =
            |(begin, kept): &(u64, Buffer)| *begin <= offset && end <= *begin + kept.len() as u64;
        if data.is_empty() || self.early.iter().any(covers) {
            return Ok(());
        }
        let held: usize = self.early.iter().map(|(_, kept)| kept.len()).sum();
        if self.early.len() == PIECES || (held + data.len()) as u64 > LONGEST {
            return Err(Violation("quic handshake in too many pieces"));
        }
        let mut kept = Buffer::new(budget);
        kept.extend(data)?;
        let at = self.early.partition_point(|(begin, _)| *begin < offset);
        self.early.insert(at, (offset, kept));
        Ok(())
    }
}

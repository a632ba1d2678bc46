//! The frames of an Initial packet (RFC 9000, sections 12.4 and 19).

use super::super::Violation;
use crate::protocols::reader::Reader;

/// A frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// Bytes of the handshake, and where in it they stand.
    Crypto { offset: u64, data: &'a [u8] },
    /// The connection is over, for a reason that is numbered as in section 20.1.
    Close { error: u64 },
    /// Padding, acknowledgements and the like.
    Other,
}

/// The frames that tell something (none is [`Frame::Other`]), in order, until they end or one is broken.
pub(super) struct Frames<'a>(Reader<'a>);

impl<'a> Frames<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        Self(Reader::new(payload))
    }

    /// Reads the rest of a frame of this type; `None` if it is broken.
    fn frame(&mut self, kind: u8) -> Option<Frame<'a>> {
        let bytes = &mut self.0;
        match kind {
            PADDING | PING => (),
            ACK | ACK_ECN => skip_ack(bytes, kind == ACK_ECN)?,
            CRYPTO => {
                let offset = bytes.varint()?;
                return Some(Frame::Crypto { offset, data: bytes.counted()? });
            }
            CLOSE => {
                let error = bytes.varint()?;
                bytes.varint()?;
                bytes.counted()?;
                return Some(Frame::Close { error });
            }
            _ => return None,
        }
        Some(Frame::Other)
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, Violation>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(kind) = self.0.u8() {
            match self.frame(kind) {
                Some(Frame::Other) => (),
                Some(frame) => return Some(Ok(frame)),
                None => {
                    self.0 = Reader::new(&[]);
                    return Some(Err(Violation("quic frame malformed")));
                }
            }
        }
        None
    }
}

const PADDING: u8 = 0x00;
const PING: u8 = 0x01;
const ACK: u8 = 0x02;
const ACK_ECN: u8 = 0x03;
const CRYPTO: u8 = 0x06;
const CLOSE: u8 = 0x1c;

/// Largest, delay, count of ranges, first range; a gap and a length for each; three counters.
fn skip_ack(bytes: &mut Reader<'_>, counters: bool) -> Option<()> {
    bytes.varint()?;
    bytes.varint()?;
    let ranges = bytes.varint()?;
    bytes.varint()?;
    // A count that is too large ends with the bytes.
    for _ in 0..ranges {
        bytes.varint()?;
        bytes.varint()?;
    }
    for _ in 0..if counters { 3 } else { 0 } {
        bytes.varint()?;
    }
    Some(())
}

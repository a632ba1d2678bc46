//! Handshake messages of one direction, put together from any pieces (RFC 8446, section 4).

use crate::protocols::reader::Reader;
use crate::protocols::{Budget, Buffer, Violation};

/// Types of messages that are told apart (RFC 5246, section 7.4; RFC 8446, section 4).
pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const CERTIFICATE: u8 = 11;
pub(super) const SERVER_KEY_EXCHANGE: u8 = 12;
pub(super) const SERVER_HELLO_DONE: u8 = 14;

/// Type and length before each message.
const HEADER: usize = 4;

/// The longest hello, by its body. Real ones have some hundred bytes, a few thousand at most.
const LONGEST_HELLO: usize = 64 << 10;

/// The longest certificate that is read.
const LONGEST_CERTIFICATE: usize = 64 << 10;

/// The lengths of a chain and of its first certificate, which stand before it.
pub(super) const CHAIN_HEADER: usize = 6;

/// What is kept between pieces: never more than one message that is wanted.
pub(super) struct Messages {
    partial: Buffer,
    /// Bytes that follow and are of no interest.
    skip: usize,
}

/// What the bytes of a message so far call for.
enum Plan {
    /// This many of them before anything can be said.
    Need(usize),
    /// The first so many are what is wanted of it, then so many to pass over.
    Take(usize, usize),
}

impl Messages {
    pub(super) fn new(budget: &Budget) -> Self {
        Self { partial: Buffer::new(budget), skip: 0 }
    }

    /// Takes the next bytes. `sink` gets each message's type and body: hellos whole, a certificate
    /// message's first certificate if `certificates`, all others without their body.
    pub(super) fn feed(
        &mut self,
        mut data: &[u8],
        mut certificates: impl FnMut() -> bool,
        mut sink: impl FnMut(u8, &[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        loop {
            let skipped = self.skip.min(data.len());
            self.skip -= skipped;
            data = data.get(skipped..).unwrap_or_default();
            let whole = self.partial.is_empty();
            let head = if whole { data } else { self.partial.bytes() };
            if head.is_empty() {
                return Ok(());
            }
            match plan(head, &mut certificates)? {
                Plan::Take(count, skip) => {
                    self.skip = skip;
                    if let Some((&kind, body)) = head.get(..count).and_then(<[u8]>::split_first) {
                        sink(kind, body.get(HEADER - 1..).unwrap_or_default())?;
                    }
                    if whole {
                        data = data.get(count..).unwrap_or_default();
                    } else {
                        self.partial.clear();
                    }
                }
                Plan::Need(_) if data.is_empty() => return Ok(()),
                Plan::Need(count) => {
                    let missing = count.saturating_sub(self.partial.len()).min(data.len());
                    let (more, rest) = data.split_at(missing);
                    self.partial.extend(more)?;
                    data = rest;
                }
            }
        }
    }

    /// Gives back what is kept.
    pub(super) fn clear(&mut self) {
        self.partial.clear();
    }
}

fn plan(head: &[u8], mut certificates: impl FnMut() -> bool) -> Result<Plan, Violation> {
    let mut reader = Reader::new(head);
    let (Some(kind), Some(length)) = (reader.u8(), reader.u24()) else {
        return Ok(Plan::Need(HEADER));
    };
    let wanted = match kind {
        CLIENT_HELLO | SERVER_HELLO if length > LONGEST_HELLO => {
            return Err(Violation("tls hello too long"));
        }
        CLIENT_HELLO | SERVER_HELLO => length,
        CERTIFICATE if length > CHAIN_HEADER && certificates() => {
            let (Some(_), Some(first)) = (reader.u24(), reader.u24()) else {
                return Ok(Plan::Need(HEADER + CHAIN_HEADER));
            };
            // A longer one is told by its header alone.
            let first = if first > LONGEST_CERTIFICATE { 0 } else { first };
            (CHAIN_HEADER + first).min(length)
        }
        _ => 0,
    };
    let take = HEADER + wanted;
    Ok(if head.len() < take { Plan::Need(take) } else { Plan::Take(take, length - wanted) })
}

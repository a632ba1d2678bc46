//! The chunked transfer coding (RFC 9112, section 7.1): counts a body's bytes, keeps none.

use memchr::memchr;

use crate::protocols::Violation;

/// Bytes that the line of a chunk's size, or all trailers, may have.
const LONGEST: u32 = 64 << 10;

/// Where in the framing the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// In a chunk's size: its value so far, and the digits.
    Size(u64, u32),
    /// Behind a chunk's size, in extensions: the size, and the bytes of the line.
    Extension(u64, u32),
    /// In a chunk's data: bytes left.
    Data(u64),
    /// Behind a chunk's data, where its line ends.
    DataEnd,
    /// In the trailers: their bytes, and whether the line at hand is empty so far.
    Trailer(u32, bool),
}

/// What a piece of a chunked body was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Bytes used up.
    pub(super) taken: usize,
    /// Whether the body is over.
    pub(super) over: bool,
}

impl Chunked {
    /// Before the first chunk.
    pub(super) const BEGIN: Self = Self::Size(0, 0);

    /// Takes the next bytes, as far as the body goes, and adds the body's own to `body`.
    pub(super) fn take(&mut self, data: &[u8], body: &mut u64) -> Result<Taken, Violation> {
        let mut at = 0;
        while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
            if let Self::Data(left) = self {
                let taken = (rest.len() as u64).min(*left);
                *left -= taken;
                *body += taken;
                at += taken as usize;
                if *left == 0 {
                    *self = Self::DataEnd;
                }
            } else {
                let (taken, over) = self.line(rest)?;
                at += taken;
                if over {
                    return Ok(Taken { taken: at, over });
                }
            }
        }
        Ok(Taken { taken: at, over: false })
    }

    /// Passes over lost bytes, if they all lie in a chunk's data.
    pub(super) fn skip(&mut self, gap: u64) -> bool {
        match self {
            Self::Data(left) if gap < *left => *left -= gap,
            Self::Data(left) if gap == *left => *self = Self::DataEnd,
            _ => return false,
        }
        true
    }

    /// Takes framing: how many bytes, and whether the body ended with them.
    fn line(&mut self, rest: &[u8]) -> Result<(usize, bool), Violation> {
        let byte = rest.first().copied().unwrap_or_default();
        match *self {
            Self::Size(size, digits) => {
                *self = Self::after_digit(size, digits, byte)?;
                Ok((1, false))
            }
            Self::Extension(size, length) => {
                let (taken, ended) = to_line_end(rest);
                let length = length.saturating_add(taken as u32);
                *self = match (ended, size) {
                    _ if length > LONGEST => return Err(Violation("http chunk header too long")),
                    (false, _) => Self::Extension(size, length),
                    (true, 0) => Self::Trailer(0, true),
                    (true, _) => Self::Data(size),
                };
                Ok((taken, false))
            }
            Self::DataEnd => match byte {
                b'\r' => Ok((1, false)),
                b'\n' => {
                    *self = Self::BEGIN;
                    Ok((1, false))
                }
                _ => Err(Violation("http chunk malformed")),
            },
            Self::Trailer(length, empty) => {
                let (taken, ended) = to_line_end(rest);
                let line = rest.get(..taken).unwrap_or_default();
                let empty = empty && line.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
                let length = length.saturating_add(taken as u32);
                if length > LONGEST {
                    return Err(Violation("http trailer too long"));
                }
                *self = Self::Trailer(length, empty || ended);
                Ok((taken, empty && ended))
            }
            Self::Data(_) => Ok((0, false)),
        }
    }

    fn after_digit(size: u64, digits: u32, byte: u8) -> Result<Self, Violation> {
        let malformed = Violation("http chunk malformed");
        if let Some(digit) = char::from(byte).to_digit(16) {
            let size = size.checked_mul(16).ok_or(Violation("http chunk too large"))?;
            return match digits {
                LONGEST => Err(Violation("http chunk header too long")),
                _ => Ok(Self::Size(size + u64::from(digit), digits + 1)),
            };
        }
        match (byte, size) {
            _ if digits == 0 => Err(malformed),
            (b'\n', 0) => Ok(Self::Trailer(0, true)),
            (b'\n', _) => Ok(Self::Data(size)),
            (b';' | b' ' | b'\t' | b'\r', _) => Ok(Self::Extension(size, digits)),
            _ => Err(malformed),
        }
    }
}

/// How many bytes the line at hand has here, and whether it ends with them.
fn to_line_end(rest: &[u8]) -> (usize, bool) {
    memchr(b'\n', rest).map_or((rest.len(), false), |end| (end + 1, true))
}

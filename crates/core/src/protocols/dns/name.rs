//! Reading a DNS message: numbers, and names with compression (RFC 1035, section 4.1.4).

use crate::protocols::Violation;

/// Bytes that a name has at most, lengths of its labels and the root's included.
const LONGEST: usize = 255;

/// A place in a message.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

const SHORT: Violation = Violation("dns message too short");

impl<'a> Reader<'a> {
    /// At the beginning of a message.
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { message, at: 0, end: message.len() }
    }

    /// The same message between two places.
    pub(super) fn within(message: &'a [u8], at: usize, end: usize) -> Self {
        Self { message, at, end: end.min(message.len()) }
    }

    /// Where it is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Violation> {
        let to = self.at.saturating_add(count);
        let bytes = self.message.get(self.at..to).filter(|_| to <= self.end).ok_or(SHORT)?;
        self.at = to;
        Ok(bytes)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = self.message.get(self.at..self.end).unwrap_or_default();
        self.at = self.end;
        rest
    }

    /// The next byte.
    pub(super) fn u8(&mut self) -> Result<u8, Violation> {
        self.take(1).map(|bytes| bytes.first().copied().unwrap_or(0))
    }

    /// The next two bytes.
    pub(super) fn u16(&mut self) -> Result<u16, Violation> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes.
    pub(super) fn u32(&mut self) -> Result<u32, Violation> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Violation> {
        self.take(N)?.try_into().map_err(|_| SHORT)
    }

    /// Bytes with their count before them (a character-string).
    pub(super) fn counted(&mut self) -> Result<&'a [u8], Violation> {
        let count = self.u8()?;
        self.take(usize::from(count))
    }

    /// Goes past a name, and appends it to `text`: labels with dots between them, a backslash
    /// before a dot or backslash of a label, no final dot, and a dot alone for the root.
    pub(super) fn name(&mut self, text: &mut Vec<u8>) -> Result<(), Violation> {
        let begin = text.len();
        let mut labels = *self;
        let mut size = 1;
        // Where the part being read begins: a pointer goes back behind it, so this comes to an end.
        let mut floor = self.at;
        let mut jumped = false;
        loop {
            let length = labels.u8()?;
            match length {
                0 => break,
                1..=63 => {
                    let label = labels.take(usize::from(length))?;
                    size += label.len() + 1;
                    if size > LONGEST {
                        return Err(Violation("dns name too long"));
                    }
                    if text.len() > begin {
                        text.push(b'.');
                    }
                    push_label(label, text);
                }
                192.. => {
                    let low = labels.u8()?;
                    let target = usize::from(u16::from_be_bytes([length & 63, low]));
                    if !jumped {
                        self.at = labels.at;
                        jumped = true;
                    }
                    if target >= floor {
                        return Err(Violation("dns compression loop"));
                    }
                    floor = target;
                    labels = Self::within(self.message, target, self.message.len());
                }
                _ => return Err(Violation("dns label type unknown")),
            }
        }
        if !jumped {
            self.at = labels.at;
        }
        if text.len() == begin {
            text.push(b'.');
        }
        Ok(())
    }

    /// Goes past a name without a look at where it points.
    pub(super) fn skip_name(&mut self) -> Result<(), Violation> {
        loop {
            match self.u8()? {
                0 => return Ok(()),
                length @ 1..=63 => self.take(usize::from(length)).map(drop)?,
                192.. => return self.u8().map(drop),
                _ => return Err(Violation("dns label type unknown")),
            }
        }
    }
}

fn push_label(label: &[u8], text: &mut Vec<u8>) {
    if label.iter().all(|byte| !matches!(byte, b'.' | b'\\')) {
        text.extend_from_slice(label);
        return;
    }
    for &byte in label {
        if matches!(byte, b'.' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte);
    }
}

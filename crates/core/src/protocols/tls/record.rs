//! The record layer of one direction (RFC 8446, section 5; RFC 5246, section 6.2).

use arrayvec::ArrayVec;

use crate::protocols::Violation;

/// Types of records.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
pub(super) const HEARTBEAT: u8 = 24;

/// Not a record: a message of SSL 2.0, which begins with this bit and its length.
pub(super) const OLD: u8 = 0x80;

/// The longest body: TLS 1.2 lets encryption add 2,048 bytes to 2^14.
const LONGEST: u16 = (1 << 14) + 2048;

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub kind: u8,
    pub length: u16,
}

impl Record {
    /// Reads a header of five bytes.
    pub(super) fn read(header: [u8; 5]) -> Result<Self, Violation> {
        let [kind, major, _, high, low] = header;
        let length = u16::from_be_bytes([high, low]);
        if !(CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind) || major != 3 {
            return Err(Violation("tls record of unknown type"));
        }
        if length > LONGEST {
            return Err(Violation("tls record too long"));
        }
        Ok(Self { kind, length })
    }
}

/// Where one direction stands.
#[allow(clippy::struct_excessive_bools)] // Facts of their own, in any mixture.
#[derive(Default)]
pub(super) struct Side {
    header: ArrayVec<u8, 5>,
    kind: u8,
    /// Bytes of the body that are to come.
    left: u16,
    /// An alert, while it comes.
    alert: ArrayVec<u8, 2>,
    /// Whether any byte was read.
    began: bool,
    /// Whether a header must come now, after lost bytes.
    unsure: bool,
    /// Whether what comes cannot be read.
    pub sealed: bool,
    /// Whether `ChangeCipherSpec` was seen, up to TLS 1.2.
    pub changed: bool,
    /// Whether encrypted data of the handshake or after it was seen.
    pub encrypted: bool,
    /// Records that could not be read.
    pub records: u8,
}

/// What [`Side::header`] found.
pub(super) enum Header {
    /// The beginning of one; all bytes are used up.
    Partial,
    /// A whole one.
    Read(Record),
    /// It was read before: bytes of the body are next.
    Before,
    /// None, after lost bytes.
    Lost,
    /// None, where one must be.
    Wrong(Violation),
}

/// Some of a record's body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Handshake(&'a [u8]),
    /// Level and description.
    Alert(u8, u8),
    /// Some of a message of SSL 2.0, and whether that ends here.
    Old {
        data: &'a [u8],
        ends: bool,
    },
    /// Nothing that can be read, or not yet.
    Sealed,
}

impl Side {
    /// Takes bytes of a header from the front of `data`.
    pub(super) fn header(&mut self, data: &mut &[u8]) -> Header {
        if self.left > 0 {
            return Header::Before;
        }
        while let Some((&byte, rest)) = data.split_first() {
            *data = rest;
            if !std::mem::replace(&mut self.began, true) && byte & OLD != 0 {
                self.kind = OLD;
            }
            self.header.push(byte);
            if self.kind == OLD
                && let [high, low] = self.header[..]
            {
                self.header.clear();
                let length = u16::from_be_bytes([high & !OLD, low]);
                self.left = length;
                return Header::Read(Record { kind: OLD, length });
            }
            if let Ok(header) = self.header.as_slice().try_into() {
                self.header.clear();
                return self.read(header);
            }
        }
        Header::Partial
    }

    fn read(&mut self, header: [u8; 5]) -> Header {
        match Record::read(header) {
            Ok(record) => {
                self.unsure = false;
                // An alert of another length is encrypted.
                let readable = record.kind != ALERT || record.length == 2;
                self.kind = if readable { record.kind } else { 0 };
                self.left = record.length;
                self.alert.clear();
                Header::Read(record)
            }
            Err(_) if self.unsure => Header::Lost,
            Err(violation) => Header::Wrong(violation),
        }
    }

    /// Takes bytes of the body from the front of `data`.
    pub(super) fn body<'a>(&mut self, data: &mut &'a [u8]) -> Body<'a> {
        let count = data.len().min(usize::from(self.left));
        let (body, rest) = data.split_at(count);
        *data = rest;
        self.left -= count as u16;
        match self.kind {
            OLD => {
                let ends = self.left == 0;
                if ends {
                    self.kind = 0;
                }
                Body::Old { data: body, ends }
            }
            HANDSHAKE if !self.sealed => Body::Handshake(body),
            ALERT if !self.sealed => {
                let _ = self.alert.try_extend_from_slice(body);
                match self.alert[..] {
                    [level, description] if self.left == 0 => Body::Alert(level, description),
                    _ => Body::Sealed,
                }
            }
            _ => Body::Sealed,
        }
    }

    /// Passes over lost bytes, after which nothing can be read, but followed; whether that can be.
    pub(super) fn pass(&mut self, gap: u64) -> bool {
        let read = matches!(self.kind, HANDSHAKE | OLD) && !self.sealed && self.left > 0;
        if !self.began || read {
            return false;
        }
        self.sealed = true;
        match u16::try_from(gap) {
            Ok(gap) if gap <= self.left => self.left -= gap,
            _ => {
                self.left = 0;
                self.unsure = true;
                self.header.clear();
            }
        }
        true
    }
}

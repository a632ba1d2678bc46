//! The header fields of a message (RFC 9112, section 5) that are kept or that frame its body.

use std::borrow::Cow;

use memchr::memchr;

use crate::protocols::Violation;

/// A header field that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Host,
    UserAgent,
    Referer,
    ContentType,
    Authorization,
    Cookie,
    Upgrade,
    Location,
    Server,
}

const FIELDS: usize = 9;

/// What the header fields say; of several with one name, the first.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    fields: [Option<Cow<'a, [u8]>>; FIELDS],
    length: Length,
    coding: Coding,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Length {
    #[default]
    Unsaid,
    Bytes(u64),
    /// No number, too large, or several that differ.
    Bad,
}

/// The last transfer coding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Coding {
    #[default]
    Unsaid,
    Chunked,
    Other,
}

/// How a message says where its body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Unsaid,
    Bytes(u64),
    Chunked,
    /// A coding that does not say it: the connection's end does.
    Endless,
}

impl<'a> Headers<'a> {
    /// Reads the fields that begin at `at`, with the position behind the empty line that ends them,
    /// if that has come.
    pub(super) fn read(data: &'a [u8], mut at: usize) -> (Self, Option<usize>) {
        let mut headers = Self::default();
        while let Some((line, mut next)) = line(data, at) {
            if line.is_empty() {
                return (headers, Some(next));
            }
            let mut folded = false;
            while let Some(b' ' | b'\t') = data.get(next) {
                let Some((_, after)) = self::line(data, next) else {
                    return (headers, None);
                };
                (next, folded) = (after, true);
            }
            if folded {
                headers.folded(data.get(at..next).unwrap_or_default());
            } else if next < data.len() {
                headers.field(line, Cow::Borrowed);
            }
            at = next;
        }
        (headers, None)
    }

    /// A field's value, without white space around it.
    pub(super) fn get(&self, field: Field) -> Option<&[u8]> {
        self.fields.get(field as usize).and_then(Option::as_deref)
    }

    /// How the body is framed; fails if that is unclear.
    pub(super) fn framing(&self) -> Result<Framing, Violation> {
        match (self.coding, self.length) {
            (Coding::Chunked, _) => Ok(Framing::Chunked),
            (Coding::Other, _) => Ok(Framing::Endless),
            (Coding::Unsaid, Length::Unsaid) => Ok(Framing::Unsaid),
            (Coding::Unsaid, Length::Bytes(bytes)) => Ok(Framing::Bytes(bytes)),
            (Coding::Unsaid, Length::Bad) => Err(Violation("http content length unclear")),
        }
    }

    /// A value on several lines (obsolete, RFC 9112, section 5.2): their ends become a space.
    #[cold]
    fn folded(&mut self, lines: &'a [u8]) {
        let mut whole = Vec::new();
        for line in lines.split(|byte| *byte == b'\n') {
            if !whole.is_empty() && !line.is_empty() {
                whole.push(b' ');
            }
            whole.extend_from_slice(line.trim_ascii());
        }
        self.field(&whole, |value| Cow::Owned(value.to_vec()));
    }

    fn field<'l>(&mut self, line: &'l [u8], keep: impl Fn(&'l [u8]) -> Cow<'a, [u8]>) {
        let Some(end) = memchr(b':', line) else {
            return;
        };
        let (name, value) = line.split_at_checked(end).unwrap_or_default();
        let name = name.trim_ascii_end();
        let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
        let field = match name.len() {
            4 if is(b"host") => Field::Host,
            6 if is(b"cookie") => Field::Cookie,
            6 if is(b"server") => Field::Server,
            7 if is(b"referer") => Field::Referer,
            7 if is(b"upgrade") => Field::Upgrade,
            8 if is(b"location") => Field::Location,
            10 if is(b"user-agent") => Field::UserAgent,
            12 if is(b"content-type") => Field::ContentType,
            13 if is(b"authorization") => Field::Authorization,
            19 if is(b"proxy-authorization") => Field::Authorization,
            14 if is(b"content-length") => return self.content_length(value),
            17 if is(b"transfer-encoding") => return self.transfer_encoding(value),
            _ => return,
        };
        if let Some(place @ None) = self.fields.get_mut(field as usize) {
            *place = Some(keep(value.get(1..).unwrap_or_default().trim_ascii()));
        }
    }

    /// One number, or the same several times.
    fn content_length(&mut self, value: &[u8]) {
        for part in value.get(1..).unwrap_or_default().split(|byte| *byte == b',') {
            let bytes = number(part.trim_ascii());
            self.length = match (self.length, bytes) {
                (Length::Unsaid, Some(bytes)) => Length::Bytes(bytes),
                (Length::Bytes(before), Some(bytes)) if before == bytes => self.length,
                _ => Length::Bad,
            };
        }
    }

    fn transfer_encoding(&mut self, value: &[u8]) {
        let last = value.get(1..).unwrap_or_default().rsplit(|byte| *byte == b',').next();
        let last = last.unwrap_or_default().trim_ascii();
        self.coding = if last.eq_ignore_ascii_case(b"chunked") {
            Coding::Chunked
        } else if last.is_empty() || last.eq_ignore_ascii_case(b"identity") {
            self.coding
        } else {
            Coding::Other
        };
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// The line that begins at `at`, without its end, and where the next one begins.
pub(super) fn line(data: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = data.get(at..)?;
    let end = memchr(b'\n', rest)?;
    let line = rest.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), at + end + 1))
}

/// Where a head ends, of which nothing before `at` ends it; else where to look on once there is more.
pub(super) fn end(data: &[u8], mut at: usize) -> Result<usize, usize> {
    while let Some(found) = data.get(at..).and_then(|rest| memchr(b'\n', rest)) {
        at += found;
        match data.get(at + 1..) {
            Some([b'\n', ..]) => return Ok(at + 2),
            Some([b'\r', b'\n', ..]) => return Ok(at + 3),
            Some([] | [b'\r']) => return Err(at),
            _ => at += 1,
        }
    }
    Err(data.len())
}

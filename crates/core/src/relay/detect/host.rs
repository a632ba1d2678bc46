//! The host that an HTTP/1 request is for, read from its head as far as that has come.

use memchr::{memchr, memrchr};

use crate::protocols::Guess;

/// Where reading goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeadSoFar {
    /// Where the first line that is not read begins.
    line: usize,
    /// Up to where its end was looked for.
    searched: usize,
    /// Whether the first line is read.
    began: bool,
}

impl HeadSoFar {
    /// Reads on. `stream` is all there is of it, from its beginning; it is known to be, or may be, a request. The host
    /// is without its port. An error is [`Guess::Maybe`] where more bytes are needed, [`Guess::No`] where it names none.
    pub(super) fn read<'a>(&mut self, stream: &'a [u8]) -> Result<&'a [u8], Guess> {
        while let Some(line) = self.next_line(stream) {
            if !self.began {
                self.began = !line.is_empty();
                if let Some(host) = target_host(line) {
                    return Ok(host);
                }
            } else if line.is_empty() {
                return Err(Guess::No);
            } else if let Some(value) = host_field(line) {
                return if value.is_empty() { Err(Guess::No) } else { Ok(without_port(value)) };
            }
        }
        Err(Guess::Maybe)
    }

    /// The next line that is whole, without its end.
    fn next_line<'a>(&mut self, stream: &'a [u8]) -> Option<&'a [u8]> {
        let rest = stream.get(self.searched..).unwrap_or_default();
        let Some(end) = memchr(b'\n', rest) else {
            self.searched = stream.len();
            return None;
        };
        let line = stream.get(self.line..self.searched + end)?;
        self.searched += end + 1;
        self.line = self.searched;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The host in a request's first line, if it stands there (RFC 9112, sections 3.2.2 and 3.2.3): it goes before the field.
fn target_host(line: &[u8]) -> Option<&[u8]> {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (method, target) = (words.next()?, words.next()?);
    if method == b"CONNECT" {
        return Some(without_port(target));
    }
    let at = memchr::memmem::find(target, b"://")?;
    let scheme = target.get(..at)?;
    let rest = target.get(at + 3..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = rest.get(..end.unwrap_or(rest.len()))?;
    let named = scheme.iter().all(u8::is_ascii_alphanumeric) && !authority.is_empty();
    let begin = memrchr(b'@', authority).map_or(0, |at| at + 1);
    named.then(|| without_port(authority.get(begin..).unwrap_or_default()))
}

/// The value of a Host field.
fn host_field(line: &[u8]) -> Option<&[u8]> {
    let (name, value) = line.split_at_checked(4)?;
    let value = value.strip_prefix(b":")?;
    name.eq_ignore_ascii_case(b"host").then(|| value.trim_ascii())
}

/// A host without the port behind it.
fn without_port(host: &[u8]) -> &[u8] {
    let Some(colon) = memrchr(b':', host) else {
        return host;
    };
    let (before, port) = host.split_at_checked(colon).unwrap_or_default();
    let plain = port.iter().skip(1).all(u8::is_ascii_digit);
    if plain { before } else { host }
}

//! `ClientHello` in the form of SSL 2.0, as old clients send it for TLS too (RFC 5246, appendix E.2).

use super::messages::CLIENT_HELLO;
use super::record::OLD;
use crate::protocols::Guess;
use crate::protocols::reader::Reader;

/// Lengths of its parts, by the message's own count.
struct Lengths {
    ciphers: usize,
    session_id: usize,
    challenge: usize,
}

impl Lengths {
    fn read(message: &mut Reader<'_>) -> Option<Self> {
        let mut length = || message.u16().map(usize::from);
        Some(Self { ciphers: length()?, session_id: length()?, challenge: length()? })
    }

    /// Whether they are possible in a message of so many bytes.
    fn fit(&self, message: usize) -> bool {
        let sum = 9 + self.ciphers + self.session_id + self.challenge;
        let shares = self.ciphers > 0 && self.ciphers.is_multiple_of(3);
        sum == message && shares && self.session_id <= 32 && (16..=32).contains(&self.challenge)
    }
}

/// Whether a stream begins with one.
pub(super) fn probe(data: &[u8]) -> Guess {
    let mut reader = Reader::new(data);
    let Some(first) = reader.u8() else {
        return Guess::Maybe;
    };
    if first & OLD == 0 || data.get(2).is_some_and(|kind| *kind != CLIENT_HELLO) {
        return Guess::No;
    }
    let (Some(low), Some(_)) = (reader.u8(), reader.u8()) else {
        return Guess::Maybe;
    };
    let length = usize::from(u16::from_be_bytes([first & !OLD, low]));
    let Some(version) = reader.u16() else {
        return Guess::Maybe;
    };
    match Lengths::read(&mut reader) {
        _ if !matches!(version, 0x0002 | 0x0300..=0x0304) => Guess::No,
        None => Guess::Maybe,
        Some(lengths) if lengths.fit(length) => Guess::Yes,
        Some(_) => Guess::No,
    }
}

/// The same hello as a message of today's form; its ciphers of SSL 2.0, which have three bytes, are
/// left out.
pub(super) fn client_hello(message: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(message);
    if reader.u8()? != CLIENT_HELLO {
        return None;
    }
    let version = reader.u16()?;
    let lengths = Lengths::read(&mut reader).filter(|lengths| lengths.fit(message.len()))?;
    let specs = reader.take(lengths.ciphers)?.chunks_exact(3);
    let ciphers: Vec<u8> =
        specs.filter_map(|spec| spec.strip_prefix(&[0])).flatten().copied().collect();
    let session_id = reader.take(lengths.session_id)?;
    let mut body = version.to_be_bytes().to_vec();
    body.extend([0; 32]);
    body.push(session_id.len() as u8);
    body.extend(session_id);
    body.extend((ciphers.len() as u16).to_be_bytes());
    body.extend(ciphers);
    body.extend([1, 0]);
    let length = (body.len() as u32).to_be_bytes();
    let header = [CLIENT_HELLO, 0, 0, 0];
    let mut hello = header.to_vec();
    hello.splice(1.., length.into_iter().skip(1));
    hello.extend(body);
    Some(hello)
}

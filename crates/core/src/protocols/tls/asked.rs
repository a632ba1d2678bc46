//! What a client asks for in its first message, read from a stream as far as it has come.

use super::hello::ClientHello;
use super::messages::CLIENT_HELLO;
use super::record::{HANDSHAKE, Record};
use crate::protocols::Guess;
use crate::protocols::reader::Reader;

/// A client's wishes. What is encrypted (ECH) is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The server's name (SNI), as it was sent.
    pub server_name: Option<Box<[u8]>>,
    /// Application protocols (ALPN) in their order.
    pub alpn: Vec<Box<[u8]>>,
}

/// A `ClientHello` while it comes, in records of any size. It holds no more than the stream had.
#[derive(Clone, Debug, Default)]
pub struct HelloSoFar {
    /// Bytes of the stream that were read.
    read: usize,
    /// Bytes of the record that are to come.
    left: usize,
    hello: Vec<u8>,
}

impl HelloSoFar {
    /// Reads on. `stream` is all there is of it, from its beginning. An error is [`Guess::Maybe`] where more bytes are
    /// needed, and [`Guess::No`] where no more will make it one.
    pub fn read(&mut self, stream: &[u8]) -> Result<Asked, Guess> {
        loop {
            if let Some(asked) = self.asked()? {
                return Ok(asked);
            }
            let rest = stream.get(self.read..).unwrap_or_default();
            if self.left == 0 {
                self.left = header(rest)?;
                self.read += 5;
                continue;
            }
            let body = rest.get(..self.left).unwrap_or(rest);
            if body.is_empty() {
                return Err(Guess::Maybe);
            }
            self.hello.extend_from_slice(body);
            self.read += body.len();
            self.left -= body.len();
        }
    }

    /// What is asked for, once all of the message is there.
    fn asked(&self) -> Result<Option<Asked>, Guess> {
        let mut reader = Reader::new(&self.hello);
        match reader.u8() {
            None => return Ok(None),
            Some(CLIENT_HELLO) => {}
            Some(_) => return Err(Guess::No),
        }
        let Some(body) = reader.u24().and_then(|length| reader.take(length)) else {
            return Ok(None);
        };
        let hello = ClientHello::read(body).ok_or(Guess::No)?;
        Ok(Some(Asked {
            server_name: hello.server_name().map(Box::from),
            alpn: hello.alpn().map(Box::from).collect(),
        }))
    }
}

/// The length of a handshake record, from its header.
fn header(data: &[u8]) -> Result<usize, Guess> {
    let Some(header) = data.first_chunk() else {
        let begins = data.iter().zip(&[HANDSHAKE, 3]).all(|(byte, wanted)| byte == wanted);
        return Err(if begins { Guess::Maybe } else { Guess::No });
    };
    match Record::read(*header) {
        Ok(Record { kind: HANDSHAKE, length: length @ 1.. }) => Ok(usize::from(length)),
        _ => Err(Guess::No),
    }
}

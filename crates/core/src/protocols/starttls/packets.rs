//! TLS in protocols of packets: `PostgreSQL`, `MySQL`, Remote Desktop. Their first bytes decide.

use arrayvec::ArrayVec;

use crate::flow::{Chunk, Direction};
use crate::protocols::{Budget, Context, Parser, Step, Violation};

/// First bytes of a direction that are kept.
const KEPT: usize = 40;

/// Bytes after which it is given up: TLS begins early or never.
const PATIENCE: usize = 8 << 10;

/// The first bytes of both ends.
struct Packets {
    decide: fn(&[u8], &[u8]) -> Next,
    /// Up and down.
    begun: [ArrayVec<u8, KEPT>; 2],
    heard: usize,
}

/// What the first bytes of both ends say.
#[derive(Clone, Copy)]
enum Next {
    /// More of them are needed.
    More,
    /// No TLS will follow.
    Never,
    /// TLS follows these bytes, up and down.
    Tls([usize; 2]),
}

pub(in crate::protocols) fn postgresql(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Packets::boxed(decide_postgresql)
}

pub(in crate::protocols) fn mysql(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Packets::boxed(decide_mysql)
}

pub(in crate::protocols) fn rdp(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Packets::boxed(decide_rdp)
}

/// A request for TLS or GSSAPI encryption is answered by one letter; after N another may follow
/// (`PostgreSQL`'s protocol, "SSL Session Encryption").
fn decide_postgresql(up: &[u8], down: &[u8]) -> Next {
    const TLS: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];
    const GSSAPI: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x30];
    for (at, request) in up.chunks(8).enumerate() {
        if request.len() < 8 {
            return if TLS.starts_with(request) || GSSAPI.starts_with(request) {
                Next::More
            } else {
                Next::Never
            };
        }
        match down.get(at) {
            None => return Next::More,
            Some(b'S') if request == TLS => return Next::Tls([(at + 1) * 8, at + 1]),
            Some(b'N') if request == TLS || request == GSSAPI => {}
            Some(_) => return Next::Never,
        }
    }
    Next::More
}

/// A client that wants TLS sends the first 32 bytes of its login only, with `CLIENT_SSL` set, and
/// does not wait for an answer (`MySQL`'s protocol, "`SSLRequest`").
fn decide_mysql(up: &[u8], _: &[u8]) -> Next {
    const CLIENT_SSL: u8 = 0x08;
    match up {
        [32, 0, 0, 1, _, flags, ..] if flags & CLIENT_SSL != 0 => {
            if up.len() < 36 {
                Next::More
            } else {
                Next::Tls([36, usize::MAX])
            }
        }
        [_, _, _, _, _, _, ..] => Next::Never,
        _ => Next::More,
    }
}

/// The server's confirmation chooses a protocol: all but 0 begin with TLS (MS-RDPBCGR 2.2.1.2.1).
fn decide_rdp(_: &[u8], down: &[u8]) -> Next {
    match down {
        [3, 0, 0, 19, 14, 0xd0, _, _, _, _, _, 2, _, 8, 0, chosen, 0, 0, 0, ..] => {
            if *chosen == 0 {
                Next::Never
            } else {
                Next::Tls([usize::MAX, 19])
            }
        }
        _ if down.len() < 19 => Next::More,
        _ => Next::Never,
    }
}

impl Packets {
    fn boxed(decide: fn(&[u8], &[u8]) -> Next) -> Box<dyn Parser> {
        Box::new(Self { decide, begun: [ArrayVec::new(), ArrayVec::new()], heard: 0 })
    }
}

impl Parser for Packets {
    fn feed(&mut self, chunk: &Chunk<'_>, _: &mut Context<'_>) -> Result<Step, Violation> {
        self.heard += chunk.data.len();
        let Some(begun) = self.begun.get_mut(chunk.direction as usize) else {
            return Ok(Step::Done);
        };
        let before = begun.len();
        let room = begun.remaining_capacity();
        begun.extend(chunk.data.iter().copied().take(room));
        let [up, down] = &self.begun;
        Ok(match (self.decide)(up, down) {
            // Where bytes are missing, places say nothing.
            _ if chunk.gap > 0 => Step::Done,
            Next::Never => Step::Done,
            Next::More if self.heard > PATIENCE => Step::Done,
            Next::More => Step::More,
            Next::Tls(ends) => {
                let end = ends.get(chunk.direction as usize).copied().unwrap_or_default();
                Step::Anew(chunk.data.len().saturating_sub(end.saturating_sub(before)))
            }
        })
    }

    fn end(&mut self, _: &mut Context<'_>) {}
}

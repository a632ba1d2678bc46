//! What connections say: each protocol has a parser, chosen by the first bytes and never by the port.
//!
//! The way of the data: a [`Chunk`] comes to [`Protocols`]; the connection's [`Talk`] finds
//! out whose it is ([`first`]), then a [`Parser`] takes it and writes rows through its [`Context`].

mod buffer;
mod context;
mod conversation;
mod dhcp;
mod dns;
mod first;
mod heard;
mod hearing;
mod hosts;
mod http;
pub mod icmp;
mod names;
mod quic;
mod reader;
mod service;
mod settings;
mod signatures;
mod ssh;
mod starttls;
mod talk;
mod tls;

pub use buffer::{Budget, Buffer, Reserved};
pub use context::{Context, Ends};
pub use conversation::Conversation;
pub use first::{First, Guess};
pub use heard::{Heard, Services};
pub use hearing::{Protocols, Spoken};
pub use names::{Name, NameSource, Names};
pub use service::Service;
pub use settings::Settings;
pub use talk::Talk;
pub use tls::{Asked, HelloSoFar};

use crate::flow::{Chunk, Direction};

/// Follows one protocol on one connection: a machine of bytes in and rows out.
pub trait Parser: Send {
    /// Takes the next bytes of one direction, in order. A datagram is a chunk of its own.
    ///
    /// An error ends the parsing of this connection and is counted; its record is kept. Whatever
    /// is remembered between calls has a bound ([`Buffer`]).
    fn feed(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation>;

    /// Called once when nothing more will come: writes what is unfinished as it stands.
    fn end(&mut self, context: &mut Context<'_>);
}

/// What a parser wants after a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next chunk.
    More,
    /// Nothing more: from here on the connection is not listened to.
    Done,
    /// To give way: the last so many bytes of the chunk, and all that follows in both directions,
    /// are something else, to be recognised anew (a tunnel, STARTTLS).
    Anew(usize),
}

/// What broke a protocol's rules, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation(pub &'static str);

/// A protocol as the engine sees it.
pub struct Protocol {
    /// What `conn.service` says of it.
    pub service: Service,
    /// Whether a direction's first bytes are its. Cheap: called for every connection.
    pub probe: fn(&First<'_>) -> Guess,
    /// Whether it can be recognised in the middle of a stream, where a chunk begins.
    pub resumes: bool,
    /// Its parser, for a connection whose given direction was recognised; `None` if its name is all
    /// we want.
    pub parser: Option<NewParser>,
}

/// A protocol that was recognised: by a probe, or by a signature.
#[derive(Clone, Copy)]
struct Known {
    service: Service,
    parser: Option<NewParser>,
}

impl Protocol {
    fn known(&self) -> Known {
        Known { service: self.service, parser: self.parser }
    }
}

/// Makes a parser that knows which direction was recognised.
pub type NewParser = fn(Direction, &Budget) -> Box<dyn Parser>;

/// The protocols of byte streams, asked in this order, before the table of signatures. A new one is
/// one line here, or there.
pub const STREAMS: &[&Protocol] =
    &[&http::PROTOCOL, &http::REPLIES, &http::HTTP2, &tls::PROTOCOL, &ssh::PROTOCOL, &dns::STREAM];

/// The protocols of datagrams, asked in this order, before the table of signatures. A new one is one
/// line here, or there.
pub const DATAGRAMS: &[&Protocol] = &[&dns::DATAGRAMS, &quic::PROTOCOL, &dhcp::PROTOCOL];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests;

//! HTTP/1.0 and 1.1 (RFC 9110, RFC 9112): one row per transaction. Bodies are counted, never kept.
//!
//! Each direction is a [`Side`], a machine over its bytes; [`Exchange`] puts replies to requests.

mod chunked;
mod exchange;
mod fields;
mod headers;
mod messages;
mod redact;
mod row;
mod search;
mod start;
mod waiting;

use super::{Budget, Buffer, Context, First, Guess, Parser, Protocol, Service, Step, Violation};
use crate::flow::{Chunk, Direction};
use crate::packet::Nanos;
use chunked::Chunked;
use exchange::Exchange;

/// A connection of which a request is recognised.
pub(super) const PROTOCOL: Protocol = Protocol {
    service: Service::Http,
    probe: start::probe_request,
    resumes: true,
    parser: Some(|direction, budget| Http::boxed(direction, true, budget)),
};

/// A connection of which a reply is recognised, since its request was not seen.
pub(super) const REPLIES: Protocol = Protocol {
    service: Service::Http,
    probe: start::probe_reply,
    resumes: true,
    parser: Some(|direction, budget| Http::boxed(direction.reverse(), false, budget)),
};

/// HTTP/2 without TLS or upgrade (RFC 9113, section 3.4): named only.
pub(super) const HTTP2: Protocol =
    Protocol { service: Service::Http2, probe: probe_http2, resumes: false, parser: None };

/// Bytes that a message's first line and header fields may have together.
const MAX_HEAD: usize = 64 << 10;

fn probe_http2(first: &First<'_>) -> Guess {
    Guess::begins(first.data, b"PRI * HTTP/2.0\r\n")
}

/// A connection's transactions.
struct Http {
    client: Side,
    server: Side,
    exchange: Exchange,
    /// Whether the client was recognised first; cleared with the first chunk.
    fresh: Option<bool>,
}

/// What one end says.
#[derive(Debug)]
struct Side {
    state: State,
    /// Bytes of the body at hand.
    body: u64,
    /// When its last byte was seen.
    last: Nanos,
    /// A head, or a line in search of one, of which not all has come.
    partial: Option<Box<Partial>>,
    /// Whether nothing was lost, so that what breaks the rules is no message.
    certain: bool,
}

/// Where the next byte of a side stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between messages.
    Idle,
    /// In a head whose beginning is kept.
    Head,
    /// In a body with so many bytes left.
    Counted(u64),
    Chunked(Chunked),
    /// In a body that ends with the connection.
    Endless,
    /// Behind a CONNECT that was not answered yet.
    Asked,
    /// Somewhere: a message is looked for, here or, if so, in the next line.
    Lost(bool),
}

/// The beginning of a head.
#[derive(Debug)]
struct Partial {
    bytes: Buffer,
    /// When its first byte was seen.
    ts: Nanos,
    /// Bytes that need not be looked at again to find the end.
    scanned: usize,
    /// Whether its first line is whole and good.
    started: bool,
}

/// What a step of a side's machine did: bytes used up, and what follows.
type Moved = Result<(usize, Step), Violation>;

impl Http {
    fn boxed(client: Direction, by_request: bool, budget: &Budget) -> Box<dyn Parser> {
        let side = || Side { state: State::Idle, body: 0, last: 0, partial: None, certain: true };
        Box::new(Self {
            client: side(),
            server: side(),
            exchange: Exchange::new(client, budget),
            fresh: Some(by_request),
        })
    }

    fn side(&mut self, from_client: bool) -> &mut Side {
        if from_client { &mut self.client } else { &mut self.server }
    }

    /// Of the end that was not recognised we may hear the middle of something first.
    fn begin(&mut self, by_request: bool, gap: u64, context: &Context<'_>) {
        let missed = context.flow.extra().is_some_and(|extra| extra.missed != [0; 2]);
        let known = by_request && gap == 0 && !missed && context.flow.began();
        if !known {
            self.side(!by_request).lose();
        }
    }

    fn advance(
        &mut self,
        from_client: bool,
        data: &[u8],
        ts: Nanos,
        context: &mut Context<'_>,
    ) -> Moved {
        let side = self.side(from_client);
        let length = data.len();
        match &mut side.state {
            State::Counted(left) => {
                let taken = (length as u64).min(*left);
                *left -= taken;
                side.body += taken;
                if *left == 0 {
                    self.body_ended(from_client, ts, context);
                }
                Ok((taken as usize, Step::More))
            }
            State::Chunked(chunked) => {
                let taken = chunked.take(data, &mut side.body)?;
                if taken.over {
                    self.body_ended(from_client, ts, context);
                }
                Ok((taken.taken, Step::More))
            }
            State::Endless => {
                side.body += length as u64;
                Ok((length, Step::More))
            }
            State::Idle => self.idle(from_client, data, ts, context),
            State::Head => self.more_head(from_client, data, ts, context),
            State::Asked => Ok(self.asked(length, context)),
            State::Lost(dead) => {
                let dead = *dead;
                self.search(from_client, dead, data, ts, context)
            }
        }
    }

    /// Bytes of a side are missing for good.
    fn gap(&mut self, from_client: bool, gap: u64, ts: Nanos, context: &mut Context<'_>) {
        let side = self.side(from_client);
        match &mut side.state {
            State::Counted(left) if gap <= *left => {
                *left -= gap;
                side.body = side.body.saturating_add(gap);
                if *left == 0 {
                    self.body_ended(from_client, ts, context);
                }
                return;
            }
            State::Counted(left) => {
                side.body += *left;
                self.body_ended(from_client, ts, context);
            }
            State::Chunked(chunked) => {
                if chunked.skip(gap) {
                    side.body = side.body.saturating_add(gap);
                    return;
                }
            }
            State::Endless | State::Asked => {
                side.body = side.body.saturating_add(gap);
                return;
            }
            State::Idle | State::Head | State::Lost(_) => {}
        }
        self.cut_short(from_client, "gap", context);
        self.side(from_client).lose();
        self.exchange.lost(from_client, ts, context);
    }
}

impl Http {
    fn take(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation> {
        let from_client = chunk.direction == self.exchange.client;
        let fresh = self.fresh.take();
        if let Some(by_request) = fresh {
            self.begin(by_request, chunk.gap, context);
        }
        // What was recognised begins where it was recognised.
        if chunk.gap > 0 && fresh != Some(from_client) {
            self.gap(from_client, chunk.gap, chunk.ts, context);
        }
        self.side(from_client).last = chunk.ts;
        let mut rest = chunk.data;
        while !rest.is_empty() {
            let (taken, step) = self.advance(from_client, rest, chunk.ts, context)?;
            rest = rest.get(taken..).unwrap_or_default();
            match step {
                Step::More => {}
                Step::Done => return Ok(Step::Done),
                Step::Anew(_) => return Ok(Step::Anew(rest.len())),
            }
        }
        Ok(Step::More)
    }
}

impl Parser for Http {
    fn feed(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation> {
        let taken = self.take(chunk, context);
        if taken.is_err() {
            self.exchange.stop();
        }
        taken
    }

    fn end(&mut self, context: &mut Context<'_>) {
        if self.server.state == State::Endless && closed(self.exchange.client.reverse(), context) {
            self.body_ended(false, self.server.last, context);
        }
        self.cut_short(true, "unfinished", context);
        self.cut_short(false, "unfinished", context);
        self.exchange.end(context);
    }
}

/// Whether an end has said that it says no more.
fn closed(direction: Direction, context: &Context<'_>) -> bool {
    let side = match direction {
        Direction::Up => &context.flow.up,
        Direction::Down => &context.flow.down,
    };
    side.flags & crate::decode::Tcp::FIN != 0
}

impl Side {
    /// Nothing is known of what comes: to be searched from here on.
    fn lose(&mut self) -> Step {
        self.state = State::Lost(false);
        self.partial = None;
        self.body = 0;
        self.certain = false;
        Step::More
    }
}

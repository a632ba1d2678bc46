//! TLS 1.0 to 1.3 and SSL 3 over streams: handshakes in clear, up to where encryption begins.

mod asked;
mod certificate;
mod ciphers;
mod handshake;
mod hello;
mod ja4;
mod messages;
mod names;
mod probe;
mod record;
mod row;
mod sslv2;

use super::{Budget, Buffer, Context, Parser, Protocol, Service, Step, Violation};
use crate::flow::{Chunk, Direction};
pub use asked::{Asked, HelloSoFar};
pub(super) use handshake::{Handshake, Transport};
use record::{Body, Record, Side};

/// TLS, over any stream.
pub(super) const PROTOCOL: Protocol = Protocol {
    service: Service::Tls,
    probe: probe::probe,
    resumes: true,
    parser: Some(Records::boxed),
};

/// Encrypted records of one direction after which we no longer wait for the other's.
const PATIENCE: u8 = 32;

/// The shortest record that can hold a client's Finished in TLS 1.3: a shorter one is an alert.
const SHORTEST_FINISHED: u16 = 4 + 32 + 1 + 16;

/// The records of both directions, until both encrypt or one gives up.
struct Records {
    handshake: Handshake,
    /// Up and down.
    sides: [Side; 2],
    /// A hello in the form of SSL 2.0, while it comes.
    old: Option<Buffer>,
}

impl Records {
    fn boxed(_: Direction, budget: &Budget) -> Box<dyn Parser> {
        let handshake = Handshake::new(Transport::Tcp, budget);
        Box::new(Self { handshake, sides: Default::default(), old: None })
    }

    /// A record's header was read.
    fn begin(&mut self, from: Direction, record: Record) -> Step {
        let known = &mut self.handshake.known;
        let tls13 = known.is_tls13();
        let from_client = known.client == Some(from);
        let Some(side) = self.sides.get_mut(from as usize) else {
            return Step::Done;
        };
        match record.kind {
            record::OLD if record.length == 0 => return Step::Done,
            record::CHANGE_CIPHER_SPEC if !tls13 => {
                side.sealed = true;
                side.changed = true;
                known.changed_cipher(from);
            }
            // The middle of a connection.
            record::APPLICATION_DATA if known.client.is_none() => return Step::Done,
            record::APPLICATION_DATA => {
                side.sealed = true;
                let early = from_client && known.reply.is_none() && known.offers_early_data();
                let finished = !from_client || record.length >= SHORTEST_FINISHED;
                side.encrypted |= finished && !early;
            }
            _ => {}
        }
        if side.sealed {
            side.records = side.records.saturating_add(1);
        }
        if self.sides.iter().all(|side| if tls13 { side.encrypted } else { side.changed }) {
            self.handshake.established();
        }
        self.step()
    }

    /// Whether more is wanted.
    fn step(&self) -> Step {
        let known = &self.handshake.known;
        let ended = known.alert.is_some_and(|(level, _)| level == handshake::FATAL);
        let alone = self.sides.iter().any(|side| side.records >= PATIENCE);
        if known.established || ended || alone { Step::Done } else { Step::More }
    }

    /// Some of a record's body that is in clear.
    fn body(
        &mut self,
        chunk: &Chunk<'_>,
        body: Body<'_>,
        context: &mut Context<'_>,
    ) -> Result<Step, Violation> {
        match body {
            Body::Handshake(data) => {
                self.handshake.feed(chunk.direction, chunk.ts, data, context)?;
            }
            Body::Alert(level, description) => {
                self.handshake.known.alert(chunk.ts, level, description);
            }
            Body::Old { data, ends } => return self.old(chunk, data, ends, context),
            Body::Sealed => {}
        }
        Ok(self.step())
    }

    /// Some of a hello in the form of SSL 2.0.
    fn old(
        &mut self,
        chunk: &Chunk<'_>,
        data: &[u8],
        ends: bool,
        context: &mut Context<'_>,
    ) -> Result<Step, Violation> {
        if self.handshake.known.client.is_some() {
            // The server took SSL 2.0 itself, whose records are others.
            return Ok(Step::Done);
        }
        let old = self.old.get_or_insert_with(|| Buffer::new(context.budget));
        old.extend(data)?;
        if ends {
            let hello = sslv2::client_hello(old.bytes());
            self.old = None;
            let hello = hello.ok_or(Violation("tls client hello malformed"))?;
            self.handshake.known.old_form = true;
            self.handshake.feed(chunk.direction, chunk.ts, &hello, context)?;
        }
        Ok(Step::More)
    }
}

impl Parser for Records {
    fn feed(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation> {
        let at = chunk.direction as usize;
        let mut data = chunk.data;
        if chunk.gap > 0 && !self.sides.get_mut(at).is_some_and(|side| side.pass(chunk.gap)) {
            return Ok(Step::Done);
        }
        while let Some(side) = self.sides.get_mut(at)
            && !data.is_empty()
        {
            let step = match side.header(&mut data) {
                record::Header::Partial => return Ok(Step::More),
                record::Header::Lost => Step::Done,
                record::Header::Wrong(violation) => return Err(violation),
                record::Header::Read(record) => self.begin(chunk.direction, record),
                record::Header::Before => {
                    let body = side.body(&mut data);
                    self.body(chunk, body, context)?
                }
            };
            if step == Step::Done {
                self.handshake.known.flaw()?;
                return Ok(step);
            }
        }
        Ok(Step::More)
    }

    fn end(&mut self, context: &mut Context<'_>) {
        self.handshake.write(context, None);
        self.old = None;
    }
}

//! QUIC: the handshake inside its Initial packets (RFC 9000, 9001, 9369).
//!
//! Initial packets are encrypted with keys that follow from the client's first Destination
//! Connection ID, so that every observer can open them; all later packets stay shut.

mod attempt;
mod crypto;
mod frames;
mod keys;
mod packet;
mod version;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;

use super::{Budget, Context, First, Guess, Parser, Protocol, Service, Step, Violation};
use crate::flow::{Chunk, Direction};
use crate::packet::Nanos;
use attempt::Attempt;
use keys::{Opened, Secrets};
use packet::{INITIAL_DATAGRAM, Initial, Packet};
use version::Version;

/// QUIC, over UDP.
pub(super) const PROTOCOL: Protocol =
    Protocol { service: Service::Quic, probe, resumes: false, parser: Some(Connection::boxed) };

/// Initial packets of a direction that are tried, at most. A handshake takes two or three, and some
/// more where packets are lost.
const TRIES: u8 = 32;

/// Datagrams that may follow the `ServerHello`, and packets of 1-RTT or of unknown versions that
/// may come without it, before all is written as it stands.
const PATIENCE: u8 = 8;

/// Datagrams without an end of the handshake, at most: much 0-RTT data may come first.
const DATAGRAMS: u16 = 1000;

fn probe(first: &First<'_>) -> Guess {
    let sure = match packet::split(first.data) {
        Some((Packet::Initial(initial), _)) => {
            first.data.len() >= INITIAL_DATAGRAM || opens_itself(&initial)
        }
        // A long header of a version that we know, and its lengths fit.
        Some((Packet::ZeroRtt | Packet::Handshake | Packet::Retry, _)) => true,
        // So it may be if the capture cut it.
        Some((Packet::Cut(end), _)) => (INITIAL_DATAGRAM as u64..1 << 16).contains(&end),
        Some((Packet::Negotiation(list), _)) => offers_known(list),
        Some((Packet::Foreign(version), _)) => version.is_known(),
        Some((Packet::OneRtt, _)) => false,
        None => packet::old_google(first.data).is_some(),
    };
    if sure { Guess::Yes } else { Guess::No }
}

fn opens_itself(initial: &Initial<'_>) -> bool {
    let secrets = Secrets::derive(initial.version, initial.dcid);
    secrets.is_some_and(|secrets| secrets.client.open(initial, 0).is_some())
}

fn offers_known(list: &[u8]) -> bool {
    list.len().is_multiple_of(4) && packet::versions(list).any(Version::is_known)
}

/// What is known of a connection until its handshake is.
#[derive(Default)]
struct Connection {
    /// The client's last one.
    attempt: Option<Box<Attempt>>,
    /// A version that we do not read, and when it was first seen.
    foreign: Option<(Version, Nanos)>,
    /// Initial packets, up and down.
    tries: [u8; 2],
    /// Whether later packets were seen, up and down.
    encrypted: [bool; 2],
    /// What counts against [`PATIENCE`].
    late: u8,
    datagrams: u16,
}

impl Connection {
    fn boxed(_: Direction, _: &Budget) -> Box<dyn Parser> {
        Box::new(Self::default())
    }

    fn packet(
        &mut self,
        packet: &Packet<'_>,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        match packet {
            Packet::Initial(initial) => return self.initial(initial, chunk, context),
            Packet::Cut(_) => self.tried(chunk.direction)?,
            Packet::Handshake => self.encrypted(chunk.direction),
            Packet::OneRtt => {
                self.encrypted(chunk.direction);
                self.late += 1;
            }
            Packet::Foreign(version) => self.foreign(*version, chunk.ts),
            Packet::Retry | Packet::Negotiation(_) => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.refused |= attempt.client != chunk.direction;
                }
            }
            Packet::ZeroRtt => (),
        }
        Ok(())
    }

    fn initial(
        &mut self,
        initial: &Initial<'_>,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        self.tried(chunk.direction)?;
        let known =
            self.attempt.as_mut().and_then(|attempt| attempt.open(initial, chunk.direction));
        // Not its packet: a client's first, or its first after Retry or Version Negotiation.
        let Some(opened) = known.or_else(|| self.begin(initial, chunk.direction, context)) else {
            return Ok(());
        };
        let Some(attempt) = &mut self.attempt else {
            return Ok(());
        };
        attempt.read(&opened, chunk, context)
    }

    /// Begins an attempt with a packet that only its own keys open.
    fn begin(
        &mut self,
        initial: &Initial<'_>,
        client: Direction,
        context: &mut Context<'_>,
    ) -> Option<Opened> {
        let (attempt, opened) = Attempt::begin(initial, client, context.budget)?;
        let before = self.attempt.replace(Box::new(attempt));
        // One that nobody refused was another connection between the same ports.
        if let Some(mut before) = before.filter(|before| !before.refused) {
            before.write(context);
        }
        Some(opened)
    }

    /// Counts an Initial packet.
    fn tried(&mut self, direction: Direction) -> Result<(), Violation> {
        let Some(tries) = self.tries.get_mut(direction as usize) else {
            return Ok(());
        };
        *tries += 1;
        if *tries <= TRIES {
            return Ok(());
        }
        Err(if self.attempt.is_some() { Violation("too many quic initials") } else { SHUT })
    }

    fn encrypted(&mut self, direction: Direction) {
        if let Some(encrypted) = self.encrypted.get_mut(direction as usize) {
            *encrypted = true;
        }
    }

    fn foreign(&mut self, version: Version, ts: Nanos) {
        self.foreign.get_or_insert((version, ts));
        self.late += 1;
    }

    /// Whether more is wanted after a datagram.
    fn step(&mut self) -> Result<Step, Violation> {
        let both = self.encrypted == [true; 2];
        let complete = self.attempt.as_ref().is_some_and(|attempt| attempt.handshake.is_complete());
        self.late += u8::from(complete);
        self.datagrams += 1;
        let over = complete && both || self.late >= PATIENCE || self.datagrams >= DATAGRAMS;
        if !over {
            return Ok(Step::More);
        }
        match &mut self.attempt {
            Some(attempt) if both => attempt.handshake.established(),
            None if self.tries != [0; 2] => return Err(SHUT),
            _ => (),
        }
        Ok(Step::Done)
    }
}

/// Only packets without the client's first, which has the keys.
const SHUT: Violation = Violation("quic initial not decrypted");

impl Parser for Connection {
    fn feed(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation> {
        let mut rest = chunk.data;
        if let Some(version) = packet::old_google(rest) {
            self.foreign(version, chunk.ts);
        }
        // What is no packet is padding, or noise that both ends ignore.
        while let Some((packet, next)) = packet::split(rest) {
            self.packet(&packet, chunk, context)?;
            rest = next;
        }
        self.step()
    }

    fn end(&mut self, context: &mut Context<'_>) {
        if let Some(attempt) = &mut self.attempt {
            attempt.write(context);
        } else if let Some((version, ts)) = self.foreign {
            attempt::write_unread(version, ts, context);
        }
    }
}

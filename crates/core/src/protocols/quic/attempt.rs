//! A client's attempt at a connection: the keys of its Initial packets, and what they said.

use arrayvec::ArrayVec;

use super::super::tls::{Handshake, Transport};
use super::super::{Budget, Context, Violation};
use super::crypto::Crypto;
use super::frames::{Frame, Frames};
use super::keys::{Opened, Secrets};
use super::packet::Initial;
use super::version::Version;
use crate::flow::{Chunk, Direction};
use crate::packet::Nanos;

/// Errors that stand for a TLS alert, by its number (RFC 9001, section 4.8).
const ALERTS: std::ops::RangeInclusive<u64> = 0x100..=0x1ff;

/// All Initial packets whose keys follow from the same connection ID.
pub(super) struct Attempt {
    /// The direction in which the client speaks.
    pub client: Direction,
    pub handshake: Handshake,
    /// Whether the server asked for another, with Retry or Version Negotiation.
    pub refused: bool,
    /// The version that was agreed on, as far as is known.
    version: Version,
    /// Whether the server was heard.
    answered: bool,
    /// The client's first Destination Connection ID.
    dcid: ArrayVec<u8, 20>,
    secrets: Secrets,
    /// Up and down: the packet number after the largest.
    next: [u64; 2],
    /// Up and down.
    crypto: [Crypto; 2],
}

impl Attempt {
    /// From its first packet, with what that contained; `None` if it is none of a client.
    pub(super) fn begin(
        initial: &Initial<'_>,
        client: Direction,
        budget: &Budget,
    ) -> Option<(Self, Opened)> {
        let secrets = Secrets::derive(initial.version, initial.dcid)?;
        let opened = secrets.client.open(initial, 0)?;
        let mut attempt = Self {
            client,
            handshake: Handshake::new(Transport::Quic, budget),
            refused: false,
            version: initial.version,
            answered: false,
            dcid: ArrayVec::try_from(initial.dcid).ok()?,
            secrets,
            next: [0; 2],
            crypto: Default::default(),
        };
        attempt.opened(&opened, client);
        Some((attempt, opened))
    }

    /// Opens a packet, if it is one of these.
    pub(super) fn open(&mut self, initial: &Initial<'_>, from: Direction) -> Option<Opened> {
        let mut other = None;
        if initial.version != self.secrets.version {
            // The server may choose another version than the client's first (RFC 9368).
            other = Some(Secrets::derive(initial.version, &self.dcid)?);
        }
        let secrets = other.as_ref().unwrap_or(&self.secrets);
        let keys = if from == self.client { &secrets.client } else { &secrets.server };
        let next = self.next.get(from as usize).copied().unwrap_or_default();
        let opened = keys.open(initial, next)?;
        if let Some(other) = other {
            self.secrets = other;
        }
        self.opened(&opened, from);
        Some(opened)
    }

    fn opened(&mut self, opened: &Opened, from: Direction) {
        if let Some(next) = self.next.get_mut(from as usize) {
            *next = (*next).max(opened.number + 1);
        }
        let server = from != self.client;
        if server || !self.answered {
            self.version = self.secrets.version;
        }
        self.answered |= server;
    }

    /// Takes what a packet contained.
    pub(super) fn read(
        &mut self,
        opened: &Opened,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let Some(crypto) = self.crypto.get_mut(chunk.direction as usize) else {
            return Ok(());
        };
        for frame in Frames::new(&opened.payload) {
            match frame? {
                Frame::Crypto { offset, data } => {
                    let budget = context.budget;
                    crypto.frame(offset, data, budget, |data| {
                        self.handshake.feed(chunk.direction, chunk.ts, data, context)
                    })?;
                }
                Frame::Close { error } if ALERTS.contains(&error) => {
                    self.handshake.closed(chunk.ts, error as u8);
                }
                Frame::Close { .. } | Frame::Other => (),
            }
        }
        Ok(())
    }

    /// Writes the row as it stands.
    pub(super) fn write(&mut self, context: &mut Context<'_>) {
        self.handshake.write(context, Some(&self.version.text()));
    }
}

/// Writes the row of a connection of which only the version is known.
pub(super) fn write_unread(version: Version, ts: Nanos, context: &mut Context<'_>) {
    let handshake = Handshake::new(Transport::Quic, context.budget);
    handshake.write_unread(ts, context, &version.text());
}

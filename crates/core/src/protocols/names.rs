//! What addresses are called: names from DNS answers, for the connections that follow them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::decode::Address;
use crate::packet::Nanos;
use crate::tables::said;

/// How the called end of a connection is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: Arc<str>,
    /// Who said it.
    pub source: NameSource,
    /// When it was said.
    pub ts: Nanos,
}

/// Who said a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// A TLS `ClientHello`.
    Sni,
    /// A QUIC `ClientHello`.
    Quic,
    /// A `ClientHello` with an encrypted one in it: the site, or a name that hides it.
    Ech,
    /// An HTTP Host header.
    Http,
    /// A DNS answer seen before the connection.
    Dns,
}

impl NameSource {
    /// As column `name_source` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sni => "sni",
            Self::Quic => "quic",
            Self::Ech => "ech",
            Self::Http => "http",
            Self::Dns => "dns",
        }
    }
}

impl Name {
    /// A name as it was sent.
    pub fn new(name: &[u8], source: NameSource, ts: Nanos) -> Self {
        Self { text: Arc::from(said(name).as_ref()), source, ts }
    }
}

/// Names of addresses, until their time is over; bounded.
///
/// Two generations: the younger takes what is learned, and when it is full, it becomes the older
/// one and the former older one is forgotten. So nothing is ever searched for the oldest. An
/// address takes two entries, of 65 and 49 bytes and half as much spare room, and its name, of 64
/// bytes on average at most and 32 to manage it: 250 bytes, 25 MB at the usual bound of 100,000.
#[derive(Debug, Default)]
pub struct Names {
    young: Generation,
    old: Generation,
    /// Addresses that a generation has room for.
    room: usize,
}

#[derive(Debug, Default)]
struct Generation {
    /// By who asked, and the address answered.
    asked: HashMap<(Address, Address), Known>,
    /// By the address answered, whoever asked: the last answer.
    answered: HashMap<Address, Known>,
    /// Bytes of names.
    text: usize,
}

/// A name, how long it counts.
#[derive(Clone, Debug)]
struct Known {
    text: Arc<str>,
    ts: Nanos,
    until: Nanos,
}

/// Seconds that a name counts for at least, since programs use an answer once whatever its time
/// to live, and at most.
const SHORTEST: u32 = 1;
const LONGEST: u32 = 86_400;

/// Bytes of names that a generation has room for, for each address.
const USUAL_NAME: usize = 64;

impl Names {
    /// Room for so many addresses.
    pub fn new(max: usize) -> Self {
        Self { room: max / 2, ..Self::default() }
    }

    /// Remembers what an address is called by somebody who asked for the name, for `ttl` seconds
    /// from the answer on.
    pub(super) fn learn(
        &mut self,
        client: &Address,
        address: &Address,
        text: &Arc<str>,
        ttl: u32,
        ts: Nanos,
    ) {
        let full = self.young.asked.len() >= self.room
            || self.young.text >= self.room.saturating_mul(USUAL_NAME);
        if full {
            self.old = std::mem::take(&mut self.young);
        }
        if self.room == 0 {
            return;
        }
        let until = ts.saturating_add(i64::from(ttl.clamp(SHORTEST, LONGEST)) * 1_000_000_000);
        let known = Known { text: Arc::clone(text), ts, until };
        self.young.text += text.len();
        self.young.asked.insert((*client, *address), known.clone());
        self.young.answered.insert(*address, known);
    }

    /// Whether no name is known.
    pub(super) fn is_empty(&self) -> bool {
        self.young.asked.is_empty() && self.old.asked.is_empty()
    }

    /// What a client that opens a connection at `at` calls an address: what it asked for, else
    /// what anybody did. Answers of that same moment do not count.
    pub(super) fn find(&self, client: &Address, address: &Address, at: Nanos) -> Option<Name> {
        let generations = [&self.young, &self.old];
        let pair = (*client, *address);
        let counts = |known: &&Known| known.ts < at && at <= known.until;
        let asked = generations.iter().find_map(|kept| kept.asked.get(&pair).filter(counts));
        let known = asked.or_else(|| {
            generations.iter().find_map(|kept| kept.answered.get(address).filter(counts))
        })?;
        Some(Name { text: Arc::clone(&known.text), source: NameSource::Dns, ts: known.ts })
    }
}

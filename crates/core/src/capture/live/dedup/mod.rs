//! A packet seen on several interfaces counts once: on a bridge and its port, a bond and its
//! slave, a VLAN and its parent, both ends of a veth pair.
//!
//! Packets are the same if all from the network header on is the same, hop limit included:
//! what was routed or translated is another packet. Of the same packet, the one on interface
//! B is a duplicate while B has shown it fewer times than another interface did within the
//! window; so it counts as often as the interface that showed it most, and repeats on one
//! interface (retransmissions, duplicate ACKs) are never lost. Time is the packets' own and
//! may run back between interfaces, whose rings are read one after the other.
//!
//! Not seen as the same: a large segment on one interface that the kernel cuts up before the
//! next one, and a checksum that is filled in between them.

use std::hash::{BuildHasher, RandomState};

use siphasher::sip::SipHasher13;

use crate::packet::{LinkType, Nanos};

/// Copies of one packet are stamped within this time of each other (nanoseconds).
pub const WINDOW: Nanos = 10_000_000;

/// Entries that share a place: also how many windows of one endlessly repeated packet are kept.
const WAYS: usize = 8;
/// Places: 131,072 entries in all, 8 MB, a tenth of a second at a million packets a second.
const SETS: usize = 1 << 14;
/// Interfaces counted per packet; see [`Dedup::is_duplicate`] for the others.
const SHOWN: usize = 8;
/// Bytes that are compared; longer packets differ in identification, sequence or checksum.
const COMPARED: usize = 192;

/// Remembers packets for a while.
pub struct Dedup {
    key: (u64, u64),
    sets: Vec<Set>,
    evicted: u64,
}

/// The hashes lie together so that one cache line says that a packet is new.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Set {
    hashes: [u64; WAYS],
    entries: [Entry; WAYS],
}

#[derive(Clone, Copy, Default)]
struct Entry {
    /// When the packet came first, by its own time; repeats within [`WINDOW`] join it.
    anchor: Nanos,
    /// The latest time it was shown; copies of that come up to [`WINDOW`] later.
    latest: Nanos,
    shown: [Shown; SHOWN],
}

/// How often an interface has shown it. A free place has `count` 0.
#[derive(Clone, Copy, Default)]
struct Shown {
    iface: u16,
    count: u16,
}

impl Default for Dedup {
    fn default() -> Self {
        let random = RandomState::new();
        Self::with_key((random.hash_one(0), random.hash_one(1)))
    }
}

impl Dedup {
    /// A table that remembers nothing; the key changes no result.
    pub fn with_key(key: (u64, u64)) -> Self {
        Self { key, sets: vec![Set::default(); SETS], evicted: 0 }
    }

    /// Whether another interface has shown this packet already. Of the packet shown by more
    /// than eight interfaces, the ninth and further ones are always duplicates.
    pub fn is_duplicate(&mut self, iface: u16, ts: Nanos, link: LinkType, data: &[u8]) -> bool {
        let hash = self.hash(content(link, data));
        let index = (hash >> 32) as usize % SETS;
        let Some(set) = self.sets.get_mut(index) else {
            return false;
        };
        let mut fits: Option<&mut Entry> = None;
        for (known, entry) in set.hashes.iter().zip(&mut set.entries) {
            if *known != hash || !entry.reaches(ts) {
                continue;
            }
            if entry.is_behind(iface) {
                entry.show(iface, ts);
                return true;
            }
            // The latest one, if the packet is in reach of two.
            let latest = fits.as_ref().is_none_or(|e| e.anchor < entry.anchor);
            if latest && ts.saturating_sub(entry.anchor) <= WINDOW {
                fits = Some(entry);
            }
        }
        match fits {
            Some(entry) => entry.show(iface, ts),
            None => self.evicted += u64::from(set.insert(hash, iface, ts)),
        }
        false
    }

    /// Packets forgotten within their window because their place was needed; copies of them
    /// that come later count again.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Never 0, which marks a free entry.
    fn hash(&self, content: &[u8]) -> u64 {
        SipHasher13::new_with_keys(self.key.0, self.key.1).hash(content) | 1
    }
}

impl Set {
    /// Takes a free entry or the oldest; true if that was still within its window.
    fn insert(&mut self, hash: u64, iface: u16, ts: Nanos) -> bool {
        let age = |(hash, entry): &(&mut u64, &mut Entry)| {
            if **hash == 0 { Nanos::MIN } else { entry.anchor }
        };
        let oldest = self.hashes.iter_mut().zip(&mut self.entries).min_by_key(age);
        let Some((known, entry)) = oldest else {
            return false;
        };
        let early = *known != 0 && ts.saturating_sub(entry.latest) <= WINDOW;
        *known = hash;
        *entry = Entry { anchor: ts, latest: ts, ..Entry::default() };
        entry.show(iface, ts);
        early
    }
}

impl Entry {
    /// Whether a copy may be stamped with `ts`.
    fn reaches(&self, ts: Nanos) -> bool {
        self.anchor.saturating_sub(ts) <= WINDOW && ts.saturating_sub(self.latest) <= WINDOW
    }

    /// Whether `iface` has shown the packet fewer times than another one.
    fn is_behind(&self, iface: u16) -> bool {
        let most = self.shown.iter().map(|s| s.count).max().unwrap_or(0);
        let own = self.shown.iter().find(|s| s.count > 0 && s.iface == iface);
        own.map_or(0, |s| s.count) < most
    }

    fn show(&mut self, iface: u16, ts: Nanos) {
        self.latest = self.latest.max(ts);
        let free = |s: &&mut Shown| s.count == 0 || s.iface == iface;
        if let Some(shown) = self.shown.iter_mut().find(free) {
            shown.iface = iface;
            shown.count = shown.count.saturating_add(1);
        }
    }
}

/// The part of a frame that stays the same across interfaces: from the network header on,
/// without padding.
fn content(link: LinkType, data: &[u8]) -> &[u8] {
    let (protocol, packet) = network(link, data);
    let half = |at: usize| {
        let bytes = packet.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |b| usize::from(u16::from_be_bytes(*b)))
    };
    let len = match protocol {
        IPV4 => half(2),
        IPV6 if half(4) > 0 => half(4) + 40,
        _ => 0,
    };
    // A length of 0 stands for more than 64 KiB.
    let len = if len == 0 { packet.len() } else { len };
    packet.get(..len.min(COMPARED)).unwrap_or(packet)
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// The `EtherType` and what follows it, VLAN tags skipped.
fn network(link: LinkType, data: &[u8]) -> (u16, &[u8]) {
    const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
    let mut at = match link {
        LinkType::ETHERNET => 12,
        LinkType::LINUX_SLL => 14,
        // Bare IP, behind a family that says no more than IP itself.
        _ => {
            let family = [LinkType::NULL, LinkType::LOOP].contains(&link);
            let data = data.get(usize::from(family) * 4..).unwrap_or(data);
            let version = data.first().map_or(0, |b| b >> 4);
            return (if version == 4 { IPV4 } else { IPV6 }, data);
        }
    };
    loop {
        let Some((head, rest)) = data.get(at..).and_then(<[u8]>::split_first_chunk) else {
            return (0, data);
        };
        let protocol = u16::from_be_bytes(*head);
        if !TAGS.contains(&protocol) {
            return (protocol, rest);
        }
        at += 4;
    }
}

#[cfg(test)]
mod tests;

//! Putting fragments together (RFC 791 section 3.2, RFC 8200 section 4.5), within bounds.
//!
//! The bytes that came first win; an overlap is counted. Everything that is given up is
//! counted, in IP packets.

use std::collections::{BTreeMap, HashMap};

use super::address::as_ipv4;
use super::stats::{Kind, StatsByInterface};
use super::{Address, Fragment, Segment, Tunnel};
use crate::packet::Nanos;

/// Datagrams in the making, at most.
const MAX_PENDING: usize = 8192;
/// Pieces of one datagram, at most: the smallest legal ones of the largest datagram are 1,366.
const MAX_PIECES: usize = 2048;
/// The longest that the pieces together may be: what fits an IPv4 header, an IPv6 one.
const MAX_LENGTH4: u32 = 65_515;
const MAX_LENGTH6: u32 = 65_535;
/// What a datagram and a piece cost besides their bytes, in round numbers.
const PENDING_COST: usize = 384;
const PIECE_COST: usize = 64;

/// A datagram put together from fragments.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// What its segments have in common: addresses and time to live from the first piece, the
    /// time of the piece that came last, `packets` and `ip_bytes` of all of them (duplicates
    /// included), `payload_len` as on the wire. Ports and payload are empty.
    pub head: Segment<'static>,
    /// The IP payload, up to the first byte that was not captured.
    pub data: Vec<u8>,
}

/// What the pieces of a datagram have in common. The interface, since one that is seen twice
/// would otherwise mend the other; link and tunnel, since addresses repeat behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: Address,
    dst: Address,
    id: u32,
    /// 0 in IPv6, where the identification stands alone.
    proto: u8,
    iface: u16,
    vlan: u16,
    tunnel: Tunnel,
}

impl Key {
    fn of(fragment: &Fragment<'_>) -> Self {
        let head = &fragment.head;
        let proto = if as_ipv4(&head.src).is_some() { head.proto } else { 0 };
        let Segment { src, dst, iface, vlan, tunnel, .. } = *head;
        Self { src, dst, id: fragment.id, proto, iface, vlan, tunnel }
    }
}

/// A stretch of a datagram: `wire` bytes of which `data` was captured.
#[derive(Debug)]
struct Piece {
    start: u32,
    wire: u32,
    data: Box<[u8]>,
}

impl Piece {
    fn end(&self) -> u32 {
        self.start + self.wire
    }

    fn cost(&self) -> usize {
        self.data.len() + PIECE_COST
    }
}

/// A datagram in the making.
#[derive(Debug)]
struct Pending {
    key: Key,
    head: Segment<'static>,
    since: Nanos,
    /// In order, without overlaps.
    pieces: Vec<Piece>,
    end: Option<u32>,
    cost: usize,
}

/// Unfinished datagrams. Each has a serial number, so that the order of their age, on which
/// eviction depends, does not depend on the hash table's seed.
#[derive(Debug)]
pub(super) struct Reassembler {
    serials: HashMap<Key, u64>,
    pending: BTreeMap<u64, Pending>,
    next: u64,
    used: usize,
    max_bytes: usize,
    timeout: Nanos,
}

impl Reassembler {
    pub(super) fn new(max_bytes: usize, timeout: Nanos) -> Self {
        Self {
            serials: HashMap::new(),
            pending: BTreeMap::new(),
            next: 0,
            used: 0,
            max_bytes,
            timeout,
        }
    }

    /// Takes a fragment; gives the datagram that it completes.
    pub(super) fn add(
        &mut self,
        fragment: &Fragment<'_>,
        stats: &mut StatsByInterface,
    ) -> Option<Datagram> {
        self.expire(fragment.head.ts, stats);
        if let Some(kind) = flaw(fragment) {
            stats.of_mut(fragment.head.iface).count(kind);
            return None;
        }
        self.make_room(fragment.data.len() + PIECE_COST + PENDING_COST, stats);
        let key = Key::of(fragment);
        let serial = *self.serials.entry(key).or_insert(self.next);
        if serial == self.next {
            self.next += 1;
            self.used += PENDING_COST;
        }
        let pending = self.pending.entry(serial).or_insert_with(|| Pending::new(key, fragment));
        let before = pending.cost;
        let added = pending.add(fragment);
        self.used += pending.cost - before;
        let (full, complete) = (pending.pieces.len() > MAX_PIECES, pending.is_complete());
        added.unwrap_or_else(|kind| stats.of_mut(key.iface).count(kind));
        if full {
            self.give_up(serial, Kind::FragmentPieces, stats);
        }
        if complete { self.remove(serial).map(Pending::finish) } else { None }
    }

    /// Gives up what waited too long. Time runs from the first piece, as RFC 8200 has it.
    pub(super) fn expire(&mut self, now: Nanos, stats: &mut StatsByInterface) {
        while let Some((&serial, oldest)) = self.pending.first_key_value() {
            if now.saturating_sub(oldest.since) <= self.timeout {
                break;
            }
            self.give_up(serial, Kind::FragmentUnfinished, stats);
        }
    }

    /// Gives up everything.
    pub(super) fn clear(&mut self, stats: &mut StatsByInterface) {
        while let Some((&serial, _)) = self.pending.first_key_value() {
            self.give_up(serial, Kind::FragmentUnfinished, stats);
        }
    }

    /// Evicts the oldest until there is room. A bound too small for a single fragment lets
    /// that one in alone.
    fn make_room(&mut self, need: usize, stats: &mut StatsByInterface) {
        while self.used + need > self.max_bytes || self.pending.len() >= MAX_PENDING {
            let Some((&serial, _)) = self.pending.first_key_value() else {
                break;
            };
            self.give_up(serial, Kind::FragmentEvicted, stats);
        }
    }

    fn give_up(&mut self, serial: u64, why: Kind, stats: &mut StatsByInterface) {
        if let Some(pending) = self.remove(serial) {
            let packets = u64::from(pending.head.packets);
            stats.of_mut(pending.key.iface).add(why, packets);
        }
    }

    fn remove(&mut self, serial: u64) -> Option<Pending> {
        let pending = self.pending.remove(&serial)?;
        self.serials.remove(&pending.key);
        self.used -= pending.cost + PENDING_COST;
        Some(pending)
    }
}

/// What makes a fragment unfit for any datagram: a length that leaves a gap, or an end past
/// that of any packet.
fn flaw(fragment: &Fragment<'_>) -> Option<Kind> {
    let length = fragment.head.payload_len;
    let max = if as_ipv4(&fragment.head.src).is_some() { MAX_LENGTH4 } else { MAX_LENGTH6 };
    if length == 0 || (fragment.more && !length.is_multiple_of(8)) {
        Some(Kind::FragmentLength)
    } else if fragment.offset.saturating_add(length) > max {
        Some(Kind::FragmentOversize)
    } else {
        None
    }
}

impl Pending {
    fn new(key: Key, fragment: &Fragment<'_>) -> Self {
        let mut head = owned(&fragment.head);
        (head.packets, head.ip_bytes) = (0, 0);
        Self { key, head, since: fragment.head.ts, pieces: Vec::new(), end: None, cost: 0 }
    }

    /// Puts a fragment to its place. An error says what is to be counted about it; one that
    /// contradicts the datagram's end is left out.
    fn add(&mut self, fragment: &Fragment<'_>) -> Result<(), Kind> {
        let (start, end) = (fragment.offset, fragment.offset + fragment.head.payload_len);
        let last = self.pieces.last().map_or(0, Piece::end);
        let fits = match (fragment.more, self.end) {
            (true, known) => known.is_none_or(|known| end <= known),
            (false, None) => last <= end,
            (false, Some(known)) => end == known,
        };
        if !fits {
            return Err(Kind::FragmentConflict);
        }
        if !fragment.more {
            self.end = Some(end);
        }
        self.note(&fragment.head, start);
        let at = self.pieces.partition_point(|piece| piece.end() <= start);
        match self.pieces.get(at) {
            Some(piece) if piece.start < end => self.fill_gaps(at, start, end, fragment.data),
            _ => {
                self.insert(at, start, end, start, fragment.data);
                Ok(())
            }
        }
    }

    /// Counts a fragment's packet in; the first piece speaks for the whole.
    fn note(&mut self, head: &Segment<'_>, start: u32) {
        if start == 0 {
            (self.head.proto, self.head.ttl) = (head.proto, head.ttl);
        }
        self.head.ts = head.ts;
        self.head.packets = self.head.packets.saturating_add(head.packets);
        self.head.ip_bytes = self.head.ip_bytes.saturating_add(head.ip_bytes);
    }

    /// Takes of an overlapping fragment what is missing. A plain repetition is not an overlap.
    fn fill_gaps(&mut self, mut at: usize, start: u32, end: u32, data: &[u8]) -> Result<(), Kind> {
        let repeats =
            |piece: &Piece| (piece.start, piece.end(), &*piece.data) == (start, end, data);
        if self.pieces.get(at).is_some_and(repeats) {
            return Ok(());
        }
        let mut from = start;
        while from < end {
            let (next, resume) =
                self.pieces.get(at).map_or((end, end), |piece| (piece.start.min(end), piece.end()));
            if from < next {
                self.insert(at, from, next, start, data);
                at += 1;
            }
            at += 1;
            from = resume;
        }
        Err(Kind::FragmentOverlap)
    }

    /// Stores the stretch from `from` to `to` of `data`, which begins at `start`.
    fn insert(&mut self, at: usize, from: u32, to: u32, start: u32, data: &[u8]) {
        let captured = data.get((from - start) as usize..).unwrap_or(&[]);
        let captured = captured.get(..(to - from) as usize).unwrap_or(captured);
        let piece = Piece { start: from, wire: to - from, data: captured.into() };
        self.cost += piece.cost();
        self.pieces.insert(at, piece);
    }

    /// Whether the pieces, which do not overlap, fill everything up to the end.
    fn is_complete(&self) -> bool {
        let last = self.pieces.last().map(Piece::end);
        self.end.is_some()
            && last == self.end
            && self.pieces.iter().map(|piece| piece.wire).sum::<u32>() == last.unwrap_or(0)
    }

    fn finish(mut self) -> Datagram {
        let mut data = Vec::with_capacity(self.end.unwrap_or(0) as usize);
        for piece in &self.pieces {
            data.extend_from_slice(&piece.data);
            if piece.data.len() < piece.wire as usize {
                break;
            }
        }
        self.head.payload_len = self.end.unwrap_or(0);
        Datagram { head: self.head, data }
    }
}

/// A head that borrows nothing.
fn owned(head: &Segment<'_>) -> Segment<'static> {
    let Segment {
        ts, iface, vlan, src, dst, src_port, dst_port, proto, ttl, tunnel, packets, ..
    } = *head;
    let Segment { ip_bytes, payload_len, transport, checksum_ok, .. } = *head;
    let payload = &[];
    Segment {
        ts,
        iface,
        vlan,
        src,
        dst,
        src_port,
        dst_port,
        proto,
        ttl,
        tunnel,
        packets,
        ip_bytes,
        payload_len,
        payload,
        transport,
        checksum_ok,
    }
}

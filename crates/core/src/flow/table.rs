//! The table of open connections: bounded, timed, and the same for every hash seed.

use std::hash::{BuildHasher, RandomState};
use std::vec::IntoIter;

use super::index::{Index, Slot};
use super::key::FlowKey;
use super::lifetime::{ended_by_peer, timeout, waits_shorter};
use super::opening::{is_reply, new_flow};
use super::slab::Slab;
use super::stream::Budget;
use super::timers::Timers;
use super::{Direction, EndReason, Extra, Flow, Observer, Side, count_one};
use crate::config::{Config, Timeouts};
use crate::decode::{Segment, Tcp, Transport};
use crate::packet::Nanos;

/// Flows under the eviction hand that are compared, as Redis samples its keys.
const EVICTION_SAMPLE: u32 = 16;

/// All open connections.
pub struct FlowTable {
    index: Index,
    slab: Slab,
    timers: Timers,
    timeouts: Timeouts,
    budget: Budget,
    max_flows: u32,
    seed: u64,
    now: Nanos,
    hand: Slot,
    evicted: u64,
    due: Vec<Slot>,
    swept: Nanos,
    /// What is left of the connections to end, while they are being ended.
    ending: Option<IntoIter<(Nanos, Slot)>>,
}

/// What the table counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    /// Connections open now.
    pub flows: u32,
    /// Connections ended because the table was full.
    pub evicted: u64,
    /// Gaps given up because the buffers for early data were full.
    pub buffers_exhausted: u64,
    /// Bytes that came twice with different content.
    pub conflicting_bytes: u64,
    /// Bytes of memory that early data takes now.
    pub buffered: usize,
}

/// Where a segment belongs: computed ahead for a whole batch, so that memory is fetched
/// for many at once.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    key: FlowKey,
    from_low: bool,
    hash: u64,
}

impl FlowTable {
    /// An empty table.
    pub fn new(config: &Config) -> Self {
        Self {
            index: Index::new(),
            slab: Slab::default(),
            timers: Timers::new(),
            timeouts: config.timeouts,
            budget: Budget {
                per_stream: config.max_stream_buffer,
                total: config.max_buffer_total,
                ..Budget::default()
            },
            max_flows: config.max_flows.max(1),
            seed: RandomState::new().hash_one(0),
            now: Nanos::MIN,
            hand: 0,
            evicted: 0,
            due: Vec::new(),
            swept: Nanos::MIN,
            ending: None,
        }
    }

    /// Where a segment belongs. Call for a batch, then [`Self::fetch`] for each, then
    /// [`Self::segment`] for each.
    #[inline]
    pub fn place(&self, segment: &Segment<'_>) -> Place {
        let (key, from_low) = FlowKey::of(segment);
        Place { key, from_low, hash: key.hash(self.seed) }
    }

    /// Touches the memory that [`Self::segment`] will want. The loads of a batch do not
    /// wait for each other, which is all that a prefetch instruction would gain.
    #[inline]
    pub fn fetch(&self, place: &Place) -> u8 {
        let flow = self.index.hint(place.hash).and_then(|slot| self.slab.get(slot));
        flow.map_or(0, |flow| {
            flow.key.proto ^ flow.up.flags ^ flow.down.flags ^ u8::from(flow.alive)
        })
    }

    /// Puts a segment to its connection, which is made if need be. `carrier` is the
    /// connection it was tunnelled in. Returns the connection's slot.
    pub fn segment(
        &mut self,
        segment: &Segment<'_>,
        place: &Place,
        carrier: Option<Slot>,
        observer: &mut impl Observer,
    ) -> Slot {
        self.advance(segment.ts, observer);
        let slot = match self.current(segment, place, observer) {
            Ok(slot) => {
                self.update(slot, segment, place, observer);
                return slot;
            }
            Err(generation) => self.open(segment, place, carrier, generation, observer),
        };
        self.update(slot, segment, place, observer);
        if let Some(flow) = self.slab.get_mut(slot) {
            observer.opened(flow);
        }
        slot
    }

    /// The connection in a slot that [`Self::segment`] returned.
    pub fn flow(&self, slot: Slot) -> Option<&Flow> {
        self.slab.get(slot)
    }

    /// The open connection with this key.
    pub fn lookup(&self, key: &FlowKey) -> Option<&Flow> {
        let hash = key.hash(self.seed);
        let same = |slot| self.slab.get(slot).is_some_and(|flow| flow.key == *key);
        self.index.find(hash, same).and_then(|slot| self.slab.get(slot))
    }

    /// The connection in a slot that [`Self::segment`] returned, and the direction of a segment
    /// that was put to it.
    pub fn flow_mut(&mut self, slot: Slot, place: &Place) -> Option<(&mut Flow, Direction)> {
        let flow = self.slab.get_mut(slot)?;
        let direction = flow.direction(place.from_low);
        Some((flow, direction))
    }

    /// Moves time on: silent connections end. Time never goes back.
    #[inline]
    pub fn advance(&mut self, now: Nanos, observer: &mut impl Observer) {
        if now <= self.now {
            return;
        }
        self.now = now;
        self.timers.advance(now, &mut self.slab, &mut self.due);
        if !self.due.is_empty() {
            self.look_at_due(observer);
        }
    }

    /// Gives a row for every open connection that was active since the last sweep.
    pub fn sweep(&mut self, observer: &mut impl Observer) {
        let since = self.swept;
        for (_, flow) in self.slab.iter().filter(|(_, flow)| flow.last > since) {
            observer.row(flow);
        }
        self.swept = self.now;
    }

    /// Ends every open connection, in the order of their first packets.
    pub fn finish(&mut self, observer: &mut impl Observer) {
        while self.finish_some(usize::MAX, observer) {}
    }

    /// The same for the next `count` of them; whether any are left.
    pub fn finish_some(&mut self, count: usize, observer: &mut impl Observer) -> bool {
        let mut ending = self.ending.take().unwrap_or_else(|| self.in_order());
        for (_, slot) in ending.by_ref().take(count) {
            let reason = self.slab.get(slot).and_then(ended_by_peer).unwrap_or(EndReason::Eof);
            self.end(slot, reason, observer);
        }
        let more = !ending.as_slice().is_empty();
        self.ending = more.then_some(ending);
        more
    }

    fn in_order(&self) -> IntoIter<(Nanos, Slot)> {
        let mut open: Vec<_> = self.slab.iter().map(|(slot, flow)| (flow.first, slot)).collect();
        open.sort_unstable();
        open.into_iter()
    }

    /// Counters and the number of open connections.
    pub fn stats(&self) -> TableStats {
        TableStats {
            flows: self.slab.len(),
            evicted: self.evicted,
            buffers_exhausted: self.budget.exhausted,
            conflicting_bytes: self.budget.conflicting,
            buffered: self.budget.used,
        }
    }

    /// The open connection a segment belongs to; if there is none, the generation of the one
    /// to be made. One that turns out to be over ends here.
    #[inline]
    fn current(
        &mut self,
        segment: &Segment<'_>,
        place: &Place,
        observer: &mut impl Observer,
    ) -> Result<Slot, u8> {
        let slot = self.find(place).ok_or(0)?;
        let Some(reason) = self.over(slot, segment) else {
            return Ok(slot);
        };
        let began = self.slab.get(slot).map(|flow| (flow.first, flow.generation));
        self.end(slot, reason, observer);
        match began {
            Some((first, generation)) if first == segment.ts => Err(generation.wrapping_add(1)),
            _ => Err(0),
        }
    }

    #[inline]
    fn find(&self, place: &Place) -> Option<Slot> {
        self.index
            .find(place.hash, |slot| self.slab.get(slot).is_some_and(|flow| flow.key == place.key))
    }

    /// Why a segment does not belong to the connection that has its ports, if so.
    #[inline]
    fn over(&self, slot: Slot, segment: &Segment<'_>) -> Option<EndReason> {
        let flow = self.slab.get(slot)?;
        if segment.ts.saturating_sub(flow.last) > timeout(flow, &self.timeouts) {
            return Some(ended_by_peer(flow).unwrap_or(EndReason::Idle));
        }
        match segment.transport {
            Transport::Tcp(tcp) if tcp.flags & (Tcp::SYN | Tcp::ACK) == Tcp::SYN => {
                ended_by_peer(flow).map(|_| EndReason::Reused)
            }
            _ => None,
        }
    }

    fn open(
        &mut self,
        segment: &Segment<'_>,
        place: &Place,
        carrier: Option<Slot>,
        generation: u8,
        observer: &mut impl Observer,
    ) -> Slot {
        if self.slab.len() >= self.max_flows {
            self.evict(carrier, observer);
        }
        let turned = is_reply(segment);
        let carrier = carrier.and_then(|slot| self.slab.get(slot)).map(Flow::uid);
        let mut flow = new_flow(segment, place.key, place.from_low != turned, carrier, generation);
        if turned {
            flow.note(Direction::Up, b'^');
        }
        let slot = self.slab.insert(flow);
        self.index.insert(place.hash, slot);
        if let Some(flow) = self.slab.get(slot) {
            let deadline = flow.last.saturating_add(timeout(flow, &self.timeouts));
            self.timers.schedule(slot, deadline, &mut self.slab);
        }
        slot
    }

    #[inline]
    fn update(
        &mut self,
        slot: Slot,
        segment: &Segment<'_>,
        place: &Place,
        observer: &mut impl Observer,
    ) {
        let Some(flow) = self.slab.get_mut(slot) else {
            return;
        };
        let direction = flow.direction(place.from_low);
        flow.last = flow.last.max(segment.ts);
        count(flow.side_mut(direction), segment);
        if !segment.checksum_ok {
            bad_checksum(flow, direction);
            return;
        }
        match segment.transport {
            Transport::Tcp(tcp) => {
                let before = waits_shorter(flow);
                flow.tcp_header(direction, &tcp, segment.payload_len, segment.ts);
                // What it acknowledges was there before what it carries.
                flow.acknowledge(direction, &tcp, segment, &mut self.budget, observer);
                flow.receive(direction, &tcp, segment, &mut self.budget, observer);
                let after = waits_shorter(flow);
                if before != after && after > 0 {
                    self.reschedule(slot);
                }
            }
            _ if segment.payload_len > 0 => {
                flow.note_data(direction);
                if matches!(segment.transport, Transport::Udp) && observer.listens(flow) {
                    observer.datagram(flow, direction, segment);
                }
            }
            _ => {}
        }
    }

    fn reschedule(&mut self, slot: Slot) {
        let Some(flow) = self.slab.get(slot) else {
            return;
        };
        let deadline = flow.last.saturating_add(timeout(flow, &self.timeouts));
        self.timers.cancel(slot, &mut self.slab);
        self.timers.schedule(slot, deadline, &mut self.slab);
    }

    fn look_at_due(&mut self, observer: &mut impl Observer) {
        let mut due = std::mem::take(&mut self.due);
        for slot in due.drain(..) {
            let Some(flow) = self.slab.get(slot) else {
                continue;
            };
            let deadline = flow.last.saturating_add(timeout(flow, &self.timeouts));
            if deadline < self.now {
                let reason = ended_by_peer(flow).unwrap_or(EndReason::Idle);
                self.end(slot, reason, observer);
            } else {
                self.timers.schedule(slot, deadline, &mut self.slab);
            }
        }
        self.due = due;
    }

    /// Makes room: of the next flows under the hand, the one of least worth goes. Those
    /// without an answer come first, then those silent for longest.
    fn evict(&mut self, carrier: Option<Slot>, observer: &mut impl Observer) {
        let slots = self.slab.slots().max(1);
        let mut worst: Option<((bool, Nanos), Slot)> = None;
        let mut seen = 0;
        for _ in 0..slots {
            let slot = self.hand;
            self.hand = (self.hand + 1) % slots;
            let Some(flow) = self.slab.get(slot).filter(|flow| flow.alive) else {
                continue;
            };
            let worth = (flow.down.packets > 0, flow.last);
            if Some(slot) != carrier && worst.is_none_or(|(least, _)| worth < least) {
                worst = Some((worth, slot));
            }
            seen += 1;
            if seen == EVICTION_SAMPLE {
                break;
            }
        }
        // A carrier goes only where nothing else could; its name is read before its slot is used.
        if let Some(slot) = worst.map(|(_, slot)| slot).or(carrier) {
            self.evicted += 1;
            self.end(slot, EndReason::Evicted, observer);
        }
    }

    fn end(&mut self, slot: Slot, reason: EndReason, observer: &mut impl Observer) {
        self.timers.cancel(slot, &mut self.slab);
        let Some(flow) = self.slab.get_mut(slot).filter(|flow| flow.alive) else {
            return;
        };
        flow.end_streams(&mut self.budget, observer);
        observer.ended(flow, reason);
        let hash = flow.key.hash(self.seed);
        self.index.remove(hash, slot);
        self.slab.remove(slot);
    }
}

#[inline]
fn count(side: &mut Side, segment: &Segment<'_>) {
    if side.packets == 0 {
        side.ttl = segment.ttl;
    }
    side.packets += u64::from(segment.packets);
    side.bytes += u64::from(segment.ip_bytes);
    side.payload += u64::from(segment.payload_len);
}

#[cold]
fn bad_checksum(flow: &mut Flow, direction: Direction) {
    let count = count_one(&mut Extra::of(flow).bad_checksums, direction);
    flow.note_count(direction, b'c', count);
}

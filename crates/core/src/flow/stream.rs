//! The two byte streams of a TCP connection: put in order, gaps named, buffers bounded.

use super::reassembly::{Outcome, Ready, Reassembly};
use super::{Chunk, Direction, Extra, Flow, Observer, count_one};
use crate::decode::{Segment, Tcp};
use crate::packet::Nanos;

/// Memory for early data, shared by all streams.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// Bytes of memory one direction of one stream may hold.
    pub(super) per_stream: usize,
    /// Bytes all may hold together.
    pub(super) total: usize,
    /// Bytes held now.
    pub(super) used: usize,
    /// How often a gap was given up for want of room.
    pub(super) exhausted: u64,
    /// Bytes that came twice with different content.
    pub(super) conflicting: u64,
}

/// The largest step forward that is believed: a window is below 1 GiB (RFC 7323).
const PLAUSIBLE: i32 = 1 << 30;

impl Flow {
    /// Takes a segment's data and FIN into its direction's stream.
    #[inline]
    pub(super) fn receive(
        &mut self,
        direction: Direction,
        tcp: &Tcp,
        segment: &Segment<'_>,
        budget: &mut Budget,
        observer: &mut impl Observer,
    ) {
        let syn = u32::from(tcp.flags & Tcp::SYN != 0);
        let fin = u32::from(tcp.flags & Tcp::FIN != 0);
        let start = tcp.seq.wrapping_add(syn);
        let waiting = self.has_waiting(direction);
        let side = self.side_mut(direction);
        if !side.started || syn == 1 && !waiting && segment.payload_len == 0 {
            side.started = true;
            side.next_seq = start;
        }
        if segment.payload_len == 0 && fin == 0 {
            return;
        }
        if start == side.next_seq && !waiting {
            side.next_seq = start.wrapping_add(segment.payload_len + fin);
            self.hand_on(direction, segment, observer);
            return;
        }
        if fin == 1 && start.wrapping_sub(side.next_seq) as i32 > 0 {
            self.early_fin(direction, start.wrapping_add(segment.payload_len));
        }
        if segment.payload_len > 0 {
            self.receive_early_or_late(direction, start, segment, budget, observer);
        }
    }

    /// Takes an acknowledgement of the other direction's bytes: what it covers and was
    /// never seen will not come again.
    #[inline]
    pub(super) fn acknowledge(
        &mut self,
        direction: Direction,
        tcp: &Tcp,
        segment: &Segment<'_>,
        budget: &mut Budget,
        observer: &mut impl Observer,
    ) {
        if tcp.flags & (Tcp::ACK | Tcp::RST) != Tcp::ACK {
            return;
        }
        let of = direction.reverse();
        let side = self.side_mut(of);
        if !side.started {
            side.started = true;
            side.next_seq = tcp.ack;
            return;
        }
        let unseen = tcp.ack.wrapping_sub(side.next_seq) as i32;
        if unseen <= 0 || unseen > PLAUSIBLE {
            return;
        }
        if unseen == 1 && !self.has_waiting(of) {
            // A lone unseen byte is taken for a FIN.
            self.side_mut(of).next_seq = tcp.ack;
            return;
        }
        // An early FIN was seen, though it stands behind what was not.
        let fin = u32::from(self.has_early_fin(of, tcp.ack.wrapping_sub(1)));
        self.lose(of, unseen as u32 - fin, segment.ts, budget, observer);
        if !self.has_waiting(of) {
            let side = self.side_mut(of);
            side.next_seq = side.next_seq.wrapping_add(fin);
        }
    }

    #[cold]
    fn early_fin(&mut self, direction: Direction, seq: u32) {
        if let Some(fin) = Extra::of(self).fins.get_mut(direction as usize) {
            *fin = Some(seq);
        }
    }

    fn has_early_fin(&self, direction: Direction, seq: u32) -> bool {
        let extra = self.extra.as_ref();
        extra.is_some_and(|extra| extra.fins.get(direction as usize) == Some(&Some(seq)))
    }

    fn has_waiting(&self, direction: Direction) -> bool {
        self.extra
            .as_ref()
            .is_some_and(|extra| extra.streams.get(direction as usize).is_some_and(Option::is_some))
    }

    /// The usual case: data that continues the stream.
    #[inline]
    fn hand_on(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        observer: &mut impl Observer,
    ) {
        if !observer.listens(self) || segment.payload_len == 0 {
            return;
        }
        let chunk = Chunk { direction, ts: segment.ts, gap: 0, data: segment.payload };
        tell(observer, self, &chunk);
        let cut = u64::from(segment.payload_len).saturating_sub(segment.payload.len() as u64);
        let cut = Chunk { gap: cut, data: &[], ..chunk };
        tell(observer, self, &cut);
    }

    fn receive_early_or_late(
        &mut self,
        direction: Direction,
        start: u32,
        segment: &Segment<'_>,
        budget: &mut Budget,
        observer: &mut impl Observer,
    ) {
        let ahead = start.wrapping_sub(self.side_mut(direction).next_seq) as i32;
        let length = i64::from(segment.payload_len);
        if i64::from(ahead) + length <= 0 {
            // A keep-alive repeats one byte on purpose (RFC 9293, section 3.8.4).
            if !(ahead == -1 && length == 1) {
                self.retransmitted(direction);
            }
            return;
        }
        if ahead > PLAUSIBLE {
            return;
        }
        let known = usize::try_from(-i64::from(ahead)).unwrap_or(0);
        let data = if observer.listens(self) {
            segment.payload.get(known..).unwrap_or_default()
        } else {
            &[]
        };
        let early = u64::from(ahead.max(0).unsigned_abs());
        let fresh = length.unsigned_abs() - known as u64;
        let outcome =
            self.change_stream(direction, segment.ts, budget, observer, |stream, room, hand| {
                let outcome = stream.insert(stream.next() + early, fresh, data, hand);
                let mut given_up = 0;
                while stream.buffered() > room && stream.skip(hand) > 0 {
                    given_up += 1;
                }
                (outcome, given_up)
            });
        self.judge(direction, outcome, budget);
    }

    /// Counts what a segment out of its turn turned out to be.
    fn judge(
        &mut self,
        direction: Direction,
        (outcome, given_up): (Outcome, u64),
        budget: &mut Budget,
    ) {
        budget.exhausted += given_up;
        budget.conflicting += outcome.conflicting;
        if outcome.fresh == 0 {
            self.retransmitted(direction);
        } else if outcome.late {
            count_one(&mut Extra::of(self).out_of_order, direction);
        }
    }

    /// Bytes that were acknowledged before they were seen: they will not come.
    fn lose(
        &mut self,
        of: Direction,
        unseen: u32,
        ts: i64,
        budget: &mut Budget,
        observer: &mut impl Observer,
    ) {
        let (missing, gaps) = self.change_stream(of, ts, budget, observer, |stream, _, hand| {
            stream.give_up(stream.next() + u64::from(unseen), hand)
        });
        self.missed(of, missing, gaps);
    }

    /// Lets `change` work on a stream, with the bytes it may hold and a way to hand bytes on;
    /// afterwards the sequence number and the budget agree with it again.
    fn change_stream<T>(
        &mut self,
        direction: Direction,
        ts: Nanos,
        budget: &mut Budget,
        observer: &mut impl Observer,
        change: impl FnOnce(&mut Reassembly, usize, &mut Ready<'_>) -> T,
    ) -> T {
        let mut stream = self.take_stream(direction);
        let (held, handed) = (stream.buffered(), stream.next());
        let others = budget.used.saturating_sub(held);
        let room = budget.per_stream.min(budget.total.saturating_sub(others));
        let mut hand = |gap: u64, data: &[u8]| {
            let chunk = Chunk { direction, ts, gap, data };
            tell(observer, self, &chunk);
        };
        let result = change(&mut stream, room, &mut hand);
        budget.used = others + stream.buffered();
        let side = self.side_mut(direction);
        side.next_seq = side.next_seq.wrapping_add((stream.next() - handed) as u32);
        self.keep_stream(direction, stream);
        result
    }

    fn retransmitted(&mut self, direction: Direction) {
        let side = self.side_mut(direction);
        side.retransmits = side.retransmits.saturating_add(1);
        let count = side.retransmits;
        self.note_count(direction, b't', count);
    }

    fn missed(&mut self, direction: Direction, bytes: u64, gaps: u32) {
        let extra = Extra::of(self);
        let mut first = 0;
        if let (Some(missed), Some(count)) =
            (extra.missed.get_mut(direction as usize), extra.gaps.get_mut(direction as usize))
        {
            *missed = missed.saturating_add(bytes);
            first = *count;
            *count = count.saturating_add(gaps);
        }
        for count in first..first.saturating_add(gaps.min(MAX_NOTED_GAPS)) {
            self.note_count(direction, b'g', count.saturating_add(1));
        }
    }

    fn take_stream(&mut self, direction: Direction) -> Reassembly {
        let waiting =
            self.extra.as_mut().and_then(|extra| extra.streams.get_mut(direction as usize));
        waiting.and_then(Option::take).map_or_else(Reassembly::default, |stream| *stream)
    }

    /// Puts a stream back, unless nothing waits in it any more.
    fn keep_stream(&mut self, direction: Direction, stream: Reassembly) {
        if stream.is_empty() {
            return;
        }
        if let Some(place) = Extra::of(self).streams.get_mut(direction as usize) {
            *place = Some(Box::new(stream));
        }
    }

    /// Gives back the memory a connection's streams hold, handing on what waits.
    pub(super) fn end_streams(&mut self, budget: &mut Budget, observer: &mut impl Observer) {
        for direction in [Direction::Up, Direction::Down] {
            if self.has_waiting(direction) {
                self.change_stream(direction, self.last, budget, observer, |stream, _, hand| {
                    while stream.skip(hand) > 0 {}
                });
            }
        }
    }
}

/// Hands a chunk to the stream's reader, if there is one and something in it: of bytes that
/// were not captured only the gap is left.
fn tell(observer: &mut impl Observer, flow: &mut Flow, chunk: &Chunk<'_>) {
    if observer.listens(flow) && (chunk.gap > 0 || !chunk.data.is_empty()) {
        observer.chunk(flow, chunk);
    }
}

/// At most this many gaps of one acknowledgement are written to the history.
const MAX_NOTED_GAPS: u32 = 256;

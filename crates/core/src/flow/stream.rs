//! The two byte streams of a TCP connection: put in order, gaps named, buffers bounded.

use super::reassembly::Reassembly;
use super::{Chunk, Direction, Extra, Flow, Observer};
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
            self.hand_on(direction, 0, segment, observer);
        } else if segment.payload_len > 0 {
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
        self.lose(of, unseen as u32, segment.ts, budget, observer);
    }

    fn has_waiting(&self, direction: Direction) -> bool {
        self.extra.as_ref().is_some_and(|extra| {
            extra
                .streams
                .get(direction as usize)
                .is_some_and(Option::is_some)
        })
    }

    /// The usual case: data that continues the stream.
    #[inline]
    fn hand_on(
        &self,
        direction: Direction,
        gap: u64,
        segment: &Segment<'_>,
        observer: &mut impl Observer,
    ) {
        if !observer.wants_streams() || segment.payload_len == 0 {
            return;
        }
        let chunk = Chunk {
            direction,
            ts: segment.ts,
            gap,
            data: segment.payload,
        };
        tell(observer, self, &chunk);
        let cut = u64::from(segment.payload_len).saturating_sub(segment.payload.len() as u64);
        let cut = Chunk {
            gap: cut,
            data: &[],
            ..chunk
        };
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
        let next_seq = self.side_mut(direction).next_seq;
        let ahead = start.wrapping_sub(next_seq) as i32;
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
        let data = if observer.wants_streams() {
            segment.payload.get(known..).unwrap_or_default()
        } else {
            &[]
        };
        let mut stream = self.take_stream(direction);
        let before = stream.buffered();
        let offset = stream.next() + u64::from(ahead.max(0) as u32);
        let fresh = (length - known as i64) as u64;
        let handed = stream.next();
        let flow = &*self;
        let mut hand = |gap: u64, data: &[u8]| {
            let chunk = Chunk {
                direction,
                ts: segment.ts,
                gap,
                data,
            };
            tell(observer, flow, &chunk);
        };
        let outcome = stream.insert(offset, fresh, data, &mut hand);
        while stream.buffered() > budget.per_stream
            || budget.used + stream.buffered() > budget.total + before
        {
            budget.exhausted += 1;
            if stream.skip(&mut hand) == 0 {
                break;
            }
        }
        budget.used = (budget.used + stream.buffered()).saturating_sub(before);
        budget.conflicting += outcome.conflicting;
        let moved = (stream.next() - handed) as u32;
        let side = self.side_mut(direction);
        side.next_seq = side.next_seq.wrapping_add(moved);
        if outcome.fresh == 0 {
            self.retransmitted(direction);
        } else if outcome.late {
            let side = self.side_mut(direction);
            side.out_of_order = side.out_of_order.saturating_add(1);
        }
        self.keep_stream(direction, stream);
    }

    fn lose(
        &mut self,
        of: Direction,
        unseen: u32,
        ts: Nanos,
        budget: &mut Budget,
        observer: &mut impl Observer,
    ) {
        let mut stream = self.take_stream(of);
        let (before, handed) = (stream.buffered(), stream.next());
        let flow = &*self;
        let mut hand = |gap: u64, data: &[u8]| {
            let chunk = Chunk {
                direction: of,
                ts,
                gap,
                data,
            };
            tell(observer, flow, &chunk);
        };
        let (missing, gaps) = stream.give_up(stream.next() + u64::from(unseen), &mut hand);
        budget.used = (budget.used + stream.buffered()).saturating_sub(before);
        let moved = (stream.next() - handed) as u32;
        let side = self.side_mut(of);
        side.next_seq = side.next_seq.wrapping_add(moved);
        self.keep_stream(of, stream);
        self.missed(of, missing, gaps);
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
        if let (Some(missed), Some(count)) = (
            extra.missed.get_mut(direction as usize),
            extra.gaps.get_mut(direction as usize),
        ) {
            *missed = missed.saturating_add(bytes);
            first = *count;
            *count = count.saturating_add(gaps);
        }
        for count in first..first.saturating_add(gaps.min(MAX_NOTED_GAPS)) {
            self.note_count(direction, b'g', count.saturating_add(1));
        }
    }

    fn take_stream(&mut self, direction: Direction) -> Reassembly {
        let waiting = self
            .extra
            .as_mut()
            .and_then(|extra| extra.streams.get_mut(direction as usize));
        waiting
            .and_then(Option::take)
            .map_or_else(Reassembly::default, |stream| *stream)
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
            if !self.has_waiting(direction) {
                continue;
            }
            let mut stream = self.take_stream(direction);
            budget.used = budget.used.saturating_sub(stream.buffered());
            let (flow, ts) = (&*self, self.last);
            let mut hand = |gap: u64, data: &[u8]| {
                let chunk = Chunk {
                    direction,
                    ts,
                    gap,
                    data,
                };
                tell(observer, flow, &chunk);
            };
            while stream.skip(&mut hand) > 0 {}
        }
    }
}

/// Hands a chunk to the stream's reader, if there is one and something in it: of bytes that
/// were not captured only the gap is left.
fn tell(observer: &mut impl Observer, flow: &Flow, chunk: &Chunk<'_>) {
    if observer.wants_streams() && (chunk.gap > 0 || !chunk.data.is_empty()) {
        observer.chunk(flow, chunk);
    }
}

/// At most this many gaps of one acknowledgement are written to the history.
const MAX_NOTED_GAPS: u32 = 256;

//! Bytes that came early: kept, bounded, until what is missing comes or never will.

use std::cmp::{max, min};

/// How many separate pieces one direction may have waiting.
pub(super) const MAX_PIECES: usize = 256;
/// What a waiting piece costs besides its bytes, in round numbers: pieces without any, or of a
/// single byte each, must not get past the bounds.
pub(super) const PIECE_COST: usize = 64;

/// The waiting pieces of one direction of a stream. Positions are 64-bit offsets, so
/// sequence numbers that wrap are no concern here. Pure: no clock, no flow, no I/O.
#[derive(Debug, Default)]
pub struct Reassembly {
    /// Everything before this offset has been handed on.
    next: u64,
    /// What lies beyond it: sorted, without overlaps.
    pieces: Vec<Piece>,
    /// Memory held: the pieces with their bytes.
    buffered: usize,
}

#[derive(Debug)]
struct Piece {
    start: u64,
    end: u64,
    /// The bytes: all, the first ones (a capture cut by its snap length), or none.
    data: Vec<u8>,
}

/// What became of a segment's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Bytes that had not been seen before.
    pub fresh: u64,
    /// Whether later bytes had been seen already.
    pub late: bool,
    /// Bytes that differ from what was seen first at their place.
    pub conflicting: u64,
}

/// Takes what is ready: how many bytes are missing before it, and the bytes.
pub type Ready<'r> = dyn FnMut(u64, &[u8]) + 'r;

impl Reassembly {
    /// The offset that continues the stream.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Bytes of memory held: what waits, and what keeping it costs.
    pub fn buffered(&self) -> usize {
        self.buffered
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Puts in the bytes `start .. start + len`, of which `data` are at hand (fewer when the
    /// capture was cut, none when nobody reads the stream), and hands on what is ready.
    /// Bytes seen first win.
    pub fn insert(&mut self, start: u64, len: u64, data: &[u8], ready: &mut Ready<'_>) -> Outcome {
        let end = start.saturating_add(len);
        let highest = self.pieces.last().map_or(self.next, |piece| piece.end);
        let mut outcome = Outcome { late: max(start, self.next) < highest, ..Outcome::default() };
        let mut at = max(start, self.next);
        let mut found = Vec::new();
        let first = self.pieces.partition_point(|piece| piece.end <= at);
        for piece in self.pieces.iter().skip(first) {
            if at >= end || piece.start >= end {
                break;
            }
            if at < piece.start {
                found.push(Piece::cut(at, piece.start, start, data));
            }
            outcome.conflicting += piece.conflicts(start, data);
            at = max(at, piece.end);
        }
        if at < end {
            found.push(Piece::cut(at, end, start, data));
        }
        for piece in found {
            outcome.fresh += piece.end - piece.start;
            self.add(piece);
        }
        self.hand_on(ready);
        while self.pieces.len() > MAX_PIECES {
            self.skip(ready);
        }
        outcome
    }

    /// Gives up what is missing before `offset`: it was acknowledged, so it will not come
    /// again. Returns how many bytes that was and in how many gaps.
    pub fn give_up(&mut self, offset: u64, ready: &mut Ready<'_>) -> (u64, u32) {
        let (mut missing, mut gaps) = (0, 0);
        while self.next < offset {
            let target = min(offset, self.pieces.first().map_or(offset, |piece| piece.start));
            missing += target - self.next;
            gaps += 1;
            let gap = target - self.next;
            self.next = target;
            self.hand_on_after(gap, ready);
        }
        (missing, gaps)
    }

    /// Gives up the first gap, to make room. Returns its bytes.
    pub fn skip(&mut self, ready: &mut Ready<'_>) -> u64 {
        let target = self.pieces.first().map_or(self.next, |piece| piece.start);
        self.give_up(target, ready).0
    }

    fn add(&mut self, piece: Piece) {
        let at = self.pieces.partition_point(|other| other.start < piece.start);
        // Without bytes, neighbours are one: a long hole-free run costs one piece.
        if let Some(before) = at.checked_sub(1).and_then(|before| self.pieces.get_mut(before))
            && before.end == piece.start
            && before.data.is_empty()
            && piece.data.is_empty()
        {
            before.end = piece.end;
            return;
        }
        self.buffered += piece.cost();
        self.pieces.insert(at, piece);
    }

    fn hand_on(&mut self, ready: &mut Ready<'_>) {
        self.hand_on_after(0, ready);
    }

    /// Hands on every piece that continues the stream; `gap` bytes are missing before it.
    fn hand_on_after(&mut self, mut gap: u64, ready: &mut Ready<'_>) {
        let next = &mut self.next;
        let count = self.pieces.iter().take_while(|piece| {
            let follows = piece.start == *next;
            if follows {
                *next = piece.end;
            }
            follows
        });
        let count = count.count();
        for piece in self.pieces.drain(..count) {
            self.buffered -= piece.cost();
            ready(gap, &piece.data);
            gap = piece.end - piece.start - piece.data.len() as u64;
        }
        if gap > 0 {
            ready(gap, &[]);
        }
    }
}

impl Piece {
    fn cost(&self) -> usize {
        self.data.len() + PIECE_COST
    }

    /// The bytes `from .. to` of a segment that starts at `start`.
    fn cut(from: u64, to: u64, start: u64, data: &[u8]) -> Self {
        let low = min((from - start) as usize, data.len());
        let high = min((to - start) as usize, data.len());
        Self { start: from, end: to, data: data.get(low..high).unwrap_or_default().to_vec() }
    }

    /// How many bytes of a segment differ from this piece where both have them.
    fn conflicts(&self, start: u64, data: &[u8]) -> u64 {
        let from = max(self.start, start);
        let to = min(self.start + self.data.len() as u64, start.saturating_add(data.len() as u64));
        if from >= to {
            return 0;
        }
        let mine = self.data.get((from - self.start) as usize..(to - self.start) as usize);
        let theirs = data.get((from - start) as usize..(to - start) as usize);
        let pairs = mine.unwrap_or_default().iter().zip(theirs.unwrap_or_default());
        pairs.filter(|(mine, theirs)| mine != theirs).count() as u64
    }
}

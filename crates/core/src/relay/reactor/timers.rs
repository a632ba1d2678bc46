//! When to look at which connection again, if nothing happens.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::slots::Key;
use crate::packet::Nanos;

/// Entries beyond four a connection that may be out of date before they are thrown out.
const SLACK: usize = 65_536;

/// A heap of times. A connection has one entry that counts, the one it remembers; earlier
/// deadlines make a new one, later ones are found out when the old one comes.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Nanos, Key)>>,
}

impl Timers {
    pub(super) fn push(&mut self, at: Nanos, key: Key) {
        self.heap.push(Reverse((at, key)));
    }

    /// When the next entry is due.
    pub(super) fn next(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The next entry that is due.
    pub(super) fn pop(&mut self, now: Nanos) -> Option<(Nanos, Key)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Throws out entries that are out of date, if there are many of them.
    pub(super) fn tidy(&mut self, connections: usize, counts: impl Fn(Nanos, Key) -> bool) {
        if self.heap.len() > 4 * connections + SLACK {
            self.heap.retain(|Reverse((at, key))| counts(*at, *key));
        }
    }
}

//! Time that does not go back, made of one that may.

use crate::packet::Nanos;

/// Times of several threads differ by less.
const TOLERATED: Nanos = 1_000_000_000;

/// Where a clock was put back, goes on from where it was: else all that is owed would be owed for longer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    last: Nanos,
    put_back: Nanos,
}

impl Clock {
    /// What time it is when the clock says `now`.
    pub(super) fn at(&mut self, now: Nanos) -> Nanos {
        if now < self.last.saturating_sub(TOLERATED) {
            self.put_back = self.put_back.saturating_add(self.last.saturating_sub(now));
            self.last = now;
        }
        self.last = self.last.max(now);
        now.saturating_add(self.put_back)
    }
}

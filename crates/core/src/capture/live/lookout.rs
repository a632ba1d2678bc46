//! When to look which interfaces there are: after a notice, and now and then in any case.

use std::time::{Duration, Instant};

use super::wake::Fd;
use crate::capture::interfaces::LinkChanges;

/// Looks where nothing is told, and where an interface that is there could not be opened.
const OFTEN: Duration = Duration::from_secs(1);
/// Looks where changes are told: in case one was not.
const SELDOM: Duration = Duration::from_secs(10);
/// Between two looks, however many changes there are.
const PAUSE: Duration = Duration::from_millis(50);
/// How often notices are looked for while packets keep us from waiting for them.
const ASKED: Duration = Duration::from_millis(100);

pub(super) struct Lookout {
    changes: Option<LinkChanges>,
    /// When to look at the latest.
    next: Instant,
    /// When to ask for notices.
    asked: Instant,
    last: Instant,
}

impl Lookout {
    pub(super) fn new(now: Instant) -> Self {
        let changes = LinkChanges::open();
        let mut lookout = Self { changes, next: now, asked: now, last: now };
        lookout.looked(now, false);
        lookout
    }

    /// Whether it is time to look after interfaces at all, short of a notice.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.asked || now >= self.next
    }

    /// Takes the notices that are there; whether to look now.
    pub(super) fn ask(&mut self, now: Instant) -> bool {
        self.asked = now + ASKED;
        if self.changes.as_mut().is_some_and(LinkChanges::take) {
            self.hurry();
        }
        now >= self.next
    }

    /// Call after a look; `failing` if an interface that is there could not be opened.
    pub(super) fn looked(&mut self, now: Instant, failing: bool) {
        self.last = now;
        self.next = now + if failing || self.changes.is_none() { OFTEN } else { SELDOM };
    }

    /// Looks again soon: there is room now that there was not.
    pub(super) fn hurry(&mut self) {
        self.next = self.next.min(self.last + PAUSE);
    }

    /// What to wait on, if anything.
    #[cfg(target_os = "linux")]
    pub(super) fn fd(&self) -> Option<Fd> {
        self.changes.as_ref().map(LinkChanges::fd)
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self, reason = "there is one elsewhere")]
    pub(super) fn fd(&self) -> Option<Fd> {
        None
    }

    /// How long a wait may last.
    pub(super) fn time_left(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deaf(now: Instant) -> Lookout {
        let mut lookout = Lookout { changes: None, next: now, asked: now, last: now };
        lookout.looked(now, false);
        lookout
    }

    #[test]
    fn where_nothing_is_told_it_looks_every_second() {
        let now = Instant::now();
        let mut lookout = deaf(now);
        assert!(!lookout.ask(now + OFTEN / 2));
        assert!(lookout.ask(now + OFTEN));
        lookout.looked(now + OFTEN, false);
        assert_eq!(lookout.time_left(now + OFTEN), OFTEN);
        assert!(lookout.fd().is_none());
    }

    #[test]
    fn while_packets_keep_it_busy_it_is_asked_often_enough() {
        let now = Instant::now();
        let mut lookout = deaf(now);
        assert!(lookout.is_due(now));
        lookout.ask(now);
        assert!(!lookout.is_due(now + ASKED / 2) && lookout.is_due(now + ASKED));
    }
}

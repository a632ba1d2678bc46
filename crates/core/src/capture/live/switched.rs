//! An interface that is switched off and on: each change is told, one that flaps only now and then.

use std::time::{Duration, Instant};

/// Changes that may be told at once.
const AT_ONCE: u32 = 8;
/// Then one each time this has passed: a loose plug is not to push out all other news.
const EACH: Duration = Duration::from_secs(30);

/// What was told of one interface.
pub(super) struct Switched {
    /// As it was told last.
    told: bool,
    up: bool,
    /// The time of day of the latest change.
    since: String,
    /// Changes that may be told now.
    left: u32,
    /// When `left` was last added to.
    filled: Instant,
}

impl Switched {
    pub(super) fn new(up: bool, now: Instant) -> Self {
        Self { told: up, up, since: String::new(), left: AT_ONCE, filled: now }
    }

    /// Takes what the system says, and returns what is to be told of it: a change, or one of
    /// before that could not be told then and still holds. Call now and then.
    pub(super) fn look(
        &mut self,
        up: bool,
        now: Instant,
        clock: impl Fn() -> String,
    ) -> Option<String> {
        if up != self.up {
            self.up = up;
            self.since = clock();
        }
        self.fill(now);
        if self.up == self.told || self.left == 0 {
            return None;
        }
        self.left -= 1;
        self.told = up;
        Some(if up { came_up(&self.since) } else { went_down(&self.since) })
    }

    fn fill(&mut self, now: Instant) {
        while self.left < AT_ONCE && now.saturating_duration_since(self.filled) >= EACH {
            self.left += 1;
            self.filled += EACH;
        }
        if self.left == AT_ONCE {
            self.filled = now;
        }
    }
}

/// The words for one that is there, or on, again.
pub(super) fn came_up(since: &str) -> String {
    format!("came up, watched since {since}")
}

fn went_down(since: &str) -> String {
    format!("the interface is down since {since}; waiting for it")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once_with_its_time() {
        let now = Instant::now();
        let mut switched = Switched::new(true, now);
        let mut look = |up, time: &str| switched.look(up, now, || time.to_owned());
        assert_eq!(look(true, "1"), None);
        let down = look(false, "2").unwrap();
        assert_eq!(down, "the interface is down since 2; waiting for it");
        assert_eq!(look(false, "3"), None);
        assert_eq!(look(true, "4").unwrap(), "came up, watched since 4");
        assert!(look(false, "5").unwrap().contains("since 5"));
    }

    #[test]
    fn one_that_flaps_is_told_now_and_then_and_its_last_state_in_any_case() {
        let start = Instant::now();
        let mut switched = Switched::new(true, start);
        let mut told = Vec::new();
        for second in 0..=600 {
            let now = start + Duration::from_secs(second);
            told.extend(switched.look(second % 2 == 0, now, || second.to_string()));
        }
        assert!((20..=30).contains(&told.len()), "{told:?}");
        for second in 601..=720 {
            let now = start + Duration::from_secs(second);
            told.extend(switched.look(second > 660, now, || second.to_string()));
            if second == 660 {
                assert!(told.last().unwrap().starts_with("the interface is down since "));
            }
        }
        assert_eq!(told.last().unwrap(), "came up, watched since 661");
    }
}

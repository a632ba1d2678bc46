//! What the user should know of interfaces that come and go: the latest lines, with their times.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

/// Lines kept; whoever reads them now and then sees all but of a storm.
const KEPT: usize = 128;

#[derive(Default)]
pub(super) struct News(VecDeque<String>);

impl News {
    /// Adds a line, unless it is there already.
    pub(super) fn say(&mut self, line: String) {
        if self.0.contains(&line) {
            return;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}

/// The time of day, as `14:02:11 UTC`.
pub(super) fn clock() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let second = since.as_secs() % 86_400;
    format!("{:02}:{:02}:{:02} UTC", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_each_once() {
        let mut news = News::default();
        for n in 0..1000 {
            news.say(format!("{}", n / 2));
        }
        assert_eq!(news.lines().count(), KEPT);
        assert_eq!(news.lines().last().map(String::as_str), Some("499"));
    }
}

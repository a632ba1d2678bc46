//! How much of what passes is kept in events.

use super::plan::Excerpts;

/// Bytes of one event at most: longer reads make several, where all bytes are wanted.
pub(super) const MOST: usize = 64 << 10;

impl Excerpts {
    /// How many bytes of a read of `read` bytes are kept, after `kept` ones of this direction;
    /// `None` if it gives no event.
    pub(super) fn of_read(&self, read: usize, kept: usize) -> Option<usize> {
        if self.hex {
            return Some(read);
        }
        let first = self.per_direction.saturating_sub(kept);
        let wanted = first.max(self.per_read);
        (wanted > 0 || self.reads).then(|| wanted.min(read).min(MOST))
    }

    /// Whether bytes have to come by here, after `kept` ones of this direction.
    pub(super) fn want(&self, kept: usize) -> bool {
        self.of_read(1, kept).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_a_direction_are_kept_and_no_more() {
        let excerpts = Excerpts { per_direction: 256, ..Excerpts::default() };
        assert_eq!(excerpts.of_read(100, 0), Some(100));
        assert_eq!(excerpts.of_read(1000, 100), Some(156));
        assert_eq!(excerpts.of_read(1000, 256), None);
        assert!(excerpts.want(255) && !excerpts.want(256));
    }

    #[test]
    fn reads_give_events_each() {
        let each = Excerpts { per_read: 16, ..Excerpts::default() };
        assert_eq!(each.of_read(100, 1 << 20), Some(16));
        let bare = Excerpts { reads: true, ..Excerpts::default() };
        assert_eq!(bare.of_read(100, 0), Some(0));
        assert_eq!(Excerpts::default().of_read(100, 0), None);
        let all = Excerpts { hex: true, ..Excerpts::default() };
        assert_eq!(all.of_read(1 << 20, 5), Some(1 << 20));
    }
}

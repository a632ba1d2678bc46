//! Records between the thread and whoever takes them: bounded; what does not fit is counted.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::procfs::utc;
use crate::process::record::Record;

/// Records that may wait.
const MAX_RECORDS: usize = 262_144;

/// A queue with one writer at a time and one reader.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    records: VecDeque<Record>,
    dropped: u64,
    /// Of these, how many the reader was not told of yet.
    untold: u64,
    closed: bool,
}

impl Queue {
    /// Adds records as far as there is room.
    pub(crate) fn offer(&self, records: &mut Vec<Record>) {
        if records.is_empty() {
            return;
        }
        let mut inner = self.lock();
        let room = MAX_RECORDS.saturating_sub(inner.records.len());
        let dropped = records.len().saturating_sub(room) as u64;
        inner.dropped += dropped;
        inner.untold += dropped;
        inner.records.extend(records.drain(..).take(room));
        self.changed.notify_all();
    }

    /// No more will come.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits for records and takes them; `None` after the last.
    pub(crate) fn take(&self, timeout: Duration) -> Option<Vec<Record>> {
        let nothing = |inner: &mut Inner| inner.records.is_empty() && !inner.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, nothing);
        let (mut inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut records: Vec<_> = inner.records.drain(..).collect();
        if inner.untold > 0 {
            // What is missing here may have taken sockets from their owners.
            records.push(Record::Lost { ts: utc(), events: std::mem::take(&mut inner.untold) });
        }
        (!records.is_empty() || !inner.closed).then_some(records)
    }

    /// How many records found no room.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_and_told() {
        let queue = Queue::default();
        let gone = |program| Record::Gone { program, ts: 0 };
        queue.offer(&mut (0..MAX_RECORDS as u64 + 5).map(gone).collect());
        let taken = queue.take(Duration::ZERO);
        assert_eq!(taken.as_ref().map(Vec::len), Some(MAX_RECORDS + 1));
        let last = taken.and_then(|mut taken| taken.pop());
        assert!(matches!(last, Some(Record::Lost { events: 5, .. })));
        assert_eq!(queue.dropped(), 5);
    }

    #[test]
    fn after_the_end_what_is_left_is_taken_and_then_nothing() {
        let queue = Queue::default();
        queue.offer(&mut vec![Record::Gone { program: 1, ts: 0 }]);
        queue.close();
        assert!(queue.take(Duration::ZERO).is_some_and(|records| records.len() == 1));
        assert_eq!(queue.take(Duration::ZERO), None);
    }
}

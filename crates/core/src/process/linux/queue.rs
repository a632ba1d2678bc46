//! Records between the thread and whoever takes them: bounded; what does not fit is counted.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
        inner.dropped += records.len().saturating_sub(room) as u64;
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
        let records: Vec<_> = inner.records.drain(..).collect();
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

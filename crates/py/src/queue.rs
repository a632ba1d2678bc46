//! Batches between the capture's thread and Python: bounded, and never waited for by a ring.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_core::Error;
use tidegate_core::tables::Batch;

/// Bytes of rows that may wait for Python.
const MAX_BYTES: usize = 64 << 20;

/// A queue of batches with one writer and one reader.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    batches: VecDeque<Batch>,
    bytes: usize,
    closed: bool,
    error: Option<Error>,
}

impl Queue {
    /// Adds a batch if there is room; otherwise drops it and returns how many rows it had.
    pub(crate) fn offer(&self, batch: Batch) -> u64 {
        let mut inner = self.lock();
        if inner.bytes >= MAX_BYTES {
            return batch.rows.num_rows() as u64;
        }
        inner.push(batch);
        self.changed.notify_all();
        0
    }

    /// Adds a batch, waiting for room: for the last rows, when no ring can overflow any more.
    pub(crate) fn push(&self, batch: Batch) {
        let inner = self.lock();
        let full = |inner: &mut Inner| inner.bytes >= MAX_BYTES && !inner.closed;
        let waited = self.changed.wait_while(inner, full);
        let mut inner = waited.unwrap_or_else(PoisonError::into_inner);
        if !inner.closed {
            inner.push(batch);
            self.changed.notify_all();
        }
    }

    /// No more will come, maybe because of an error; also ends a wait for room.
    pub(crate) fn close(&self, error: Option<Error>) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.error = inner.error.take().or(error);
        self.changed.notify_all();
    }

    /// Waits until there is something to take.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let inner = self.lock();
        let nothing = |inner: &mut Inner| inner.batches.is_empty() && !inner.closed;
        match self.changed.wait_timeout_while(inner, timeout, nothing) {
            Ok((_, waited)) => !waited.timed_out(),
            Err(_) => true,
        }
    }

    /// What is there; after the last batch the error, if any; then `None`.
    pub(crate) fn take(&self) -> Result<Option<Vec<Batch>>, Error> {
        let mut inner = self.lock();
        let batches: Vec<_> = inner.batches.drain(..).collect();
        inner.bytes = 0;
        self.changed.notify_all();
        if !batches.is_empty() || !inner.closed {
            return Ok(Some(batches));
        }
        inner.error.take().map_or(Ok(None), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, batch: Batch) {
        self.bytes += batch.rows.get_array_memory_size();
        self.batches.push_back(batch);
    }
}

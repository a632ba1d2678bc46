//! Ends the wait of a source where packets cannot be waited for: it looks again and again.

use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What can be waited on: nothing.
pub(crate) type Fd = Infallible;

/// Wakes a source that waits in `poll`; it then answers `Idle`. Cheap to clone, and safe to
/// use from any thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Woken>);

#[derive(Debug, Default)]
struct Woken {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Waker {
    /// Ends the wait that goes on, or else the next one.
    pub fn wake(&self) {
        *self.0.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

/// The end that waits.
pub(crate) struct Wakeup(Arc<Woken>);

impl Wakeup {
    #[allow(clippy::unnecessary_wraps, reason = "a pipe, elsewhere, can fail")]
    pub(crate) fn new() -> std::io::Result<(Waker, Self)> {
        let woken = Arc::new(Woken::default());
        Ok((Waker(Arc::clone(&woken)), Self(woken)))
    }

    /// Waits until it is woken. None of the `fds` has an error.
    #[allow(clippy::unnecessary_wraps, reason = "poll, elsewhere, can fail")]
    pub(crate) fn wait(&self, fds: &[Option<Fd>], timeout: Duration) -> std::io::Result<Vec<bool>> {
        let woken = self.0.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.changed.wait_timeout_while(woken, timeout, |woken| !*woken);
        drop(waited);
        Ok(vec![false; fds.len()])
    }

    /// Whether it was woken since the last call.
    pub(crate) fn take(&mut self) -> bool {
        std::mem::take(&mut *self.0.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(5);

    #[test]
    fn a_wait_ends_by_a_wake_from_another_thread() {
        let (waker, mut wakeup) = Wakeup::new().unwrap();
        assert!(!wakeup.take());
        let other = std::thread::spawn(move || waker.wake());
        assert_eq!(wakeup.wait(&[None], LONG).unwrap(), [false]);
        other.join().unwrap();
        assert!(wakeup.take() && !wakeup.take());
    }

    #[test]
    fn a_wake_before_the_wait_is_not_lost() {
        let (waker, mut wakeup) = Wakeup::new().unwrap();
        waker.wake();
        wakeup.wait(&[], LONG).unwrap();
        assert!(wakeup.take());
    }
}

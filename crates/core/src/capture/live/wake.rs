//! Ends the wait of a source from another thread.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Wakes a source that waits in `poll`; it then answers `Idle`. Cheap to clone, and safe to
/// use from any thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<UnixStream>);

impl Waker {
    /// Ends the wait that goes on, or else the next one.
    pub fn wake(&self) {
        // A full pipe means that it was woken already.
        let _ = (&*self.0).write(&[1]);
    }
}

/// The end that waits.
pub(super) struct Wakeup(UnixStream);

impl Wakeup {
    pub(super) fn new() -> std::io::Result<(Waker, Self)> {
        let (there, here) = UnixStream::pair()?;
        there.set_nonblocking(true)?;
        here.set_nonblocking(true)?;
        Ok((Waker(Arc::new(there)), Self(here)))
    }

    pub(super) fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Whether it was woken since the last call.
    pub(super) fn take(&mut self) -> bool {
        let mut woken = false;
        let mut sink = [0; 64];
        while matches!(self.0.read(&mut sink), Ok(1..)) {
            woken = true;
        }
        woken
    }
}

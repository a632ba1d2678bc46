//! Waits for packets with poll(2), and for another thread's wake through a pair of sockets.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// What can be waited on.
pub(crate) type Fd = RawFd;

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
pub(crate) struct Wakeup(UnixStream);

impl Wakeup {
    pub(crate) fn new() -> io::Result<(Waker, Self)> {
        let (there, here) = UnixStream::pair()?;
        there.set_nonblocking(true)?;
        here.set_nonblocking(true)?;
        Ok((Waker(Arc::new(there)), Self(here)))
    }

    /// Waits until it is woken, or one of `fds` has something to read or an error, and returns
    /// for each whether it has an error. A signal ends the wait early.
    pub(crate) fn wait(&self, fds: &[Option<Fd>], timeout: Duration) -> io::Result<Vec<bool>> {
        // Descriptors below 0 are skipped by poll(2).
        let all = fds.iter().map(|fd| fd.unwrap_or(-1));
        let polled = poll(all.chain([self.0.as_raw_fd()]), timeout)?;
        let failed = polled.iter().map(|p| p.revents & libc::POLLERR != 0);
        Ok(failed.take(fds.len()).collect())
    }

    /// Whether it was woken since the last call.
    pub(crate) fn take(&mut self) -> bool {
        let mut woken = false;
        let mut sink = [0; 64];
        while matches!(self.0.read(&mut sink), Ok(1..)) {
            woken = true;
        }
        woken
    }
}

fn poll(fds: impl Iterator<Item = Fd>, timeout: Duration) -> io::Result<Vec<libc::pollfd>> {
    let mut polled: Vec<libc::pollfd> =
        fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
    let millis = timeout.as_micros().div_ceil(1000).min(60_000) as c_int;
    // SAFETY: the pointer and the count describe the live vector `polled`.
    let got = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, millis) };
    let error = io::Error::last_os_error();
    if got < 0 && error.kind() != io::ErrorKind::Interrupted {
        return Err(error);
    }
    Ok(polled)
}

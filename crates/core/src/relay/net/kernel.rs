//! What rustix has no words for: what the kernel knows of a TCP connection, and foreign addresses.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::packet::Nanos;

/// Smoothed round-trip time to the other end; `None` for other sockets and systems.
#[cfg(target_os = "linux")]
pub(in crate::relay) fn rtt(socket: BorrowedFd<'_>) -> Option<Nanos> {
    let mut info = std::mem::MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: `info` has `length` bytes of room, which the kernel fills at most; the descriptor is
    // borrowed for the call.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if failed != 0 {
        return None;
    }
    // SAFETY: plain numbers, zeroed before, so that any length the kernel wrote leaves it whole.
    let micros = unsafe { info.assume_init() }.tcpi_rtt;
    (micros > 0).then(|| Nanos::from(micros) * 1000)
}

#[cfg(not(target_os = "linux"))]
pub(in crate::relay) fn rtt(_socket: BorrowedFd<'_>) -> Option<Nanos> {
    None
}

/// Whether bytes written to it are not acknowledged yet; yes where nobody knows.
#[cfg(target_os = "linux")]
pub(in crate::relay) fn has_unsent(socket: BorrowedFd<'_>) -> bool {
    let mut queued: libc::c_int = 0;
    // SAFETY: the request writes one `int`, which `queued` is.
    let failed = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut queued) };
    failed != 0 || queued > 0
}

#[cfg(not(target_os = "linux"))]
pub(in crate::relay) fn has_unsent(_socket: BorrowedFd<'_>) -> bool {
    true
}

/// Another descriptor of a socket that the caller has by number and keeps.
pub(in crate::relay) fn duplicate(number: i32) -> std::io::Result<OwnedFd> {
    // SAFETY: a number that is no open file gives an error; nothing is read through it.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if copy < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

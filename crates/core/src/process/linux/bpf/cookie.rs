//! The caller's network namespace, as BPF programs know it.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsRawFd;

/// `SO_NETNS_COOKIE`.
const NETNS_COOKIE: i32 = 71;

/// The caller's network namespace, as programs see it.
pub(crate) fn own_net_cookie() -> io::Result<u64> {
    let socket = std::net::UdpSocket::bind(("127.0.0.1", 0))
        .or_else(|_| std::net::UdpSocket::bind(("::", 0)))?;
    let (mut cookie, mut len) = (0_u64, size_of::<u64>() as libc::socklen_t);
    let place = (&raw mut cookie).cast();
    // SAFETY: the kernel writes at most `len` bytes, the size of the live `cookie`.
    let done = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, NETNS_COOKIE, place, &raw mut len)
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(cookie) }
}

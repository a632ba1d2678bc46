//! Netlink sockets: the calls, and how messages are laid out.
#![allow(unsafe_code)]

pub(crate) mod connector;
pub(crate) mod diag;

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::process::event::{slice_at, u16_at, u32_at};

/// Length of `struct nlmsghdr`.
pub(crate) const HEADER: usize = 16;
/// The flag of a question, and that of a question for all there is.
pub(crate) const REQUEST: u16 = 1;
pub(crate) const DUMP: u16 = 0x300;
/// Types of messages: an error (or none), and the end of a list.
pub(crate) const ERROR: u16 = 2;
pub(crate) const DONE: u16 = 3;

/// A netlink socket in the network namespace it was opened in.
pub(crate) struct Netlink {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Netlink {
    /// `groups` are the multicasts to hear.
    pub(crate) fn open(protocol: c_int, groups: u32) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: integers only; a descriptor or -1 comes back.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, protocol) };
        check(fd)?;
        // SAFETY: `fd` is a descriptor that was just made and that nothing else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: all zeroes are a valid value of this plain C struct.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::AF_NETLINK as u16;
        address.nl_groups = groups;
        let len = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
        // SAFETY: `address` lives through the call and `len` is its size.
        check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), len) })?;
        Ok(Self { fd, buffer: vec![0; 64 << 10] })
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Asks the kernel for a receive buffer of this many bytes, past the usual limit where it lets us.
    pub(crate) fn room(&self, bytes: c_int) {
        for option in [libc::SO_RCVBUFFORCE, libc::SO_RCVBUF] {
            let value: *const c_int = &raw const bytes;
            let len = size_of::<c_int>() as libc::socklen_t;
            // SAFETY: the kernel reads one integer from the live `bytes`.
            let done = unsafe {
                libc::setsockopt(self.raw(), libc::SOL_SOCKET, option, value.cast(), len)
            };
            if done == 0 {
                return;
            }
        }
    }

    /// Sends a message with its header.
    pub(crate) fn send(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend([0; 8]);
        message.extend(body);
        // SAFETY: pointer and length describe the live `message`.
        let sent = unsafe { libc::send(self.raw(), message.as_ptr().cast(), message.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Receives once and gives each message (type, body); waits unless told not to. False where nothing was there.
    pub(crate) fn receive(
        &mut self,
        wait: bool,
        mut each: impl FnMut(u16, &[u8]),
    ) -> io::Result<bool> {
        let flags = if wait { 0 } else { libc::MSG_DONTWAIT };
        let place = self.buffer.as_mut_ptr().cast();
        // SAFETY: the kernel writes at most `buffer.len()` bytes to the live buffer.
        let got = unsafe { libc::recv(self.raw(), place, self.buffer.len(), flags) };
        if got < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(false) } else { Err(error) };
        }
        let mut rest = self.buffer.get(..got as usize).unwrap_or(&[]);
        while let (Some(len), Some(kind)) = (u32_at(rest, 0), u16_at(rest, 4)) {
            let Some(body) =
                (len as usize).checked_sub(HEADER).and_then(|len| slice_at(rest, HEADER, len))
            else {
                break;
            };
            each(kind, body);
            rest = rest.get((len as usize).next_multiple_of(4)..).unwrap_or(&[]);
        }
        Ok(true)
    }
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

//! The kernel's notices about interfaces (`rtnetlink(7)`, the group of links). That one came is
//! all that is taken from them; what changed is then read from the list of interfaces.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Notices read at once, at most; further ones wait for the next call.
const AT_ONCE: usize = 4096;

/// Hears of interfaces of the network namespace it was opened in. Needs no privilege.
pub(crate) struct LinkChanges(OwnedFd);

impl LinkChanges {
    /// `None` where the kernel refuses (a container may have no netlink).
    pub(crate) fn open() -> Option<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers; a descriptor or -1 comes back.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
        if fd < 0 {
            return None;
        }
        // SAFETY: `fd` is a descriptor that was just made and that nothing else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: all zeroes are a value of this plain C struct.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::AF_NETLINK as u16;
        address.nl_groups = libc::RTMGRP_LINK as u32;
        let len = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
        // SAFETY: `address` lives through the call and `len` is its size.
        let bound = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), len) };
        (bound == 0).then_some(Self(fd))
    }

    /// What to wait on.
    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Whether something may have changed since the last call: notices that were lost count.
    pub(crate) fn take(&mut self) -> bool {
        let mut changed = false;
        for _ in 0..AT_ONCE {
            // Only whether there is one matters: the rest of a notice is cut off.
            let mut head = [0_u8; 16];
            let room = head.as_mut_ptr().cast();
            // SAFETY: the kernel writes at most the 16 bytes of the live `head`.
            let got = unsafe { libc::recv(self.0.as_raw_fd(), room, head.len(), 0) };
            let lost = io::Error::last_os_error().raw_os_error() == Some(libc::ENOBUFS);
            if got < 0 && !lost {
                break;
            }
            changed = true;
        }
        changed
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn without_changes_there_is_no_news() {
        let mut changes = LinkChanges::open().unwrap();
        // Other tests may change interfaces of this namespace: take until it is calm.
        assert!((0..1000).any(|_| !changes.take()));
        assert!(changes.fd() >= 0);
    }
}

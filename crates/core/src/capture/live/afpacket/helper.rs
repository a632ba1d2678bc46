//! Asks the privileged helper for a packet socket; see [`Opener`](crate::capture::live::Opener).
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use crate::capture::live::Opener;

/// How long an answer may take, in milliseconds.
const PATIENCE: c_int = 2000;
/// The longest answer.
const ANSWER: usize = 512;

impl Opener {
    /// The helper at the other end of a connection (`SOCK_SEQPACKET`), of which a copy is kept.
    /// An error if the number is no open descriptor.
    pub fn helper(connection: RawFd) -> io::Result<Self> {
        // SAFETY: no pointers; a new descriptor or -1 comes back.
        let copy = unsafe { libc::fcntl(connection, libc::F_DUPFD_CLOEXEC, 0) };
        if copy < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `copy` was just made and nothing else owns it.
        Ok(Self::Helper(Arc::new(unsafe { OwnedFd::from_raw_fd(copy) })))
    }
}

/// A new unbound packet socket of this kind (`SOCK_RAW` or `SOCK_DGRAM`).
pub(super) fn ask(helper: &OwnedFd, kind: c_int) -> io::Result<OwnedFd> {
    let fd = helper.as_raw_fd();
    let question: &[u8] = if kind == libc::SOCK_RAW {
        br#"{"ask":"packet","kind":"raw"}"#
    } else {
        br#"{"ask":"packet","kind":"cooked"}"#
    };
    send(fd, question)?;
    let (answer, socket) = answer(fd)?;
    if let Some(code) = errno(&answer) {
        return Err(io::Error::from_raw_os_error(code));
    }
    socket.ok_or_else(|| io::Error::other("the privileged helper gave no socket"))
}

fn send(fd: RawFd, question: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `len` bytes of the live slice.
    let sent =
        unsafe { libc::send(fd, question.as_ptr().cast(), question.len(), libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(gone()) } else { Ok(()) }
}

/// The answer and the descriptor that came with it. Who does not answer in time is not asked
/// again: the answer to one question must not be taken for that to the next.
fn answer(fd: RawFd) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut polled = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one live `pollfd`.
    if unsafe { libc::poll(&raw mut polled, 1, PATIENCE) } <= 0 {
        // SAFETY: no pointers.
        unsafe { libc::shutdown(fd, libc::SHUT_RDWR) };
        return Err(io::Error::other("the privileged helper does not answer"));
    }
    let mut bytes = [0_u8; ANSWER];
    let mut control = Control([0; 64]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all zeroes are a value of this plain C struct.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = size_of::<Control>() as _;
    // SAFETY: the message names live buffers and their sizes.
    let got = unsafe { libc::recvmsg(fd, &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    let Ok(len @ 1..) = usize::try_from(got) else {
        return Err(gone());
    };
    // SAFETY: the kernel has just filled `message` and what it names.
    let socket = unsafe { descriptor(&message) };
    Ok((bytes.get(..len).unwrap_or_default().to_vec(), socket))
}

/// Room for control messages, aligned as they have to be.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// # Safety
/// `message` was filled by a `recvmsg` that succeeded, and its buffers live.
unsafe fn descriptor(message: &libc::msghdr) -> Option<OwnedFd> {
    // SAFETY: as the caller promises; null if there is no control message.
    let header = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: null, or a header within the control buffer.
    let head = unsafe { header.as_ref() }?;
    let whole = head.cmsg_len as usize >= size_of::<libc::cmsghdr>() + size_of::<c_int>();
    if (head.cmsg_level, head.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_RIGHTS) || !whole {
        return None;
    }
    // SAFETY: the message carries at least one descriptor, which is ours from now on.
    unsafe {
        let fd = libc::CMSG_DATA(header).cast::<c_int>().read_unaligned();
        Some(OwnedFd::from_raw_fd(fd))
    }
}

/// The number behind `"errno":` in the answer.
fn errno(answer: &[u8]) -> Option<c_int> {
    let text = std::str::from_utf8(answer).ok()?;
    let (_, rest) = text.split_once("\"errno\":")?;
    let digits: &str = rest.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn gone() -> io::Error {
    io::Error::other("the privileged helper is gone; start the watch anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_failed() {
        assert_eq!(errno(br#"{"errno":1,"error":"x"}"#), Some(1));
        assert_eq!(errno(br#"{"ok":true}"#), None);
        assert_eq!(errno(br#"{"errno": 13}"#), Some(13));
        assert_eq!(errno(b"\xff\"errno\":13"), None);
    }
}

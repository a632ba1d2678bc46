//! What the kernel tells, whichever way it tells it.

use super::ends::Ends;
use super::record::{Action, Method};

/// TCP's states, as the kernel numbers them.
pub(crate) mod state {
    pub(crate) const SYN_SENT: u32 = 2;
    pub(crate) const CLOSE: u32 = 7;
    pub(crate) const LISTEN: u32 = 10;
}

/// One event; `at` is nanoseconds since boot, suspended time included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: u64,
    pub(crate) what: What,
}

/// What happened. Pids are those of processes, not threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A process was made by another.
    Fork { parent: u32, child: u32 },
    /// A process became another program, read from this file.
    Exec { pid: u32, file: Vec<u8> },
    /// A process ended.
    Exit { pid: u32 },
    /// The network namespace of a process, by inode, or of one of its threads only.
    Namespace { pid: u32, net: u64, thread: bool },
    /// A TCP socket changed its state; `pid` means something only where [`trace`](super::trace) says so.
    State { socket: u64, pid: u32, old: u32, new: u32, ends: Ends },
    /// A socket in its program's own context.
    Socket(Told),
    /// A socket of which was told is gone.
    Released { cookie: u64 },
    /// The kernel dropped this many events.
    Lost(u64),
}

/// What a program does with a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) action: Action,
    pub(crate) pid: u32,
    pub(crate) ends: Ends,
    pub(crate) uid: Option<u32>,
    /// The socket's network namespace; without it the program's is taken.
    pub(crate) net: Option<u64>,
    pub(crate) method: Method,
    /// Names the socket if its end will be told, else 0.
    pub(crate) cookie: u64,
}

/// An integer of a record in this machine's byte order; `None` where the record is too short.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_ne_bytes)
}

/// See [`u16_at`].
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_ne_bytes)
}

/// See [`u16_at`].
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_ne_bytes)
}

/// The bytes from `at`, as many as asked for.
pub(crate) fn slice_at(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice_at(bytes, at, N)?.try_into().ok()
}

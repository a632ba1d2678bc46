//! What is told about programs and sockets: flat, so that it travels anywhere.

use std::sync::Arc;

use super::ends::Ends;
use crate::packet::Nanos;

/// How a socket's program was found. The order is the ladder's, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// A BPF program that ran inside the system call.
    Bpf,
    /// A kernel tracepoint, through `perf_event_open`.
    Tracepoint,
    /// The process connector told of the program, `NETLINK_SOCK_DIAG` of its socket.
    Connector,
    /// An exact question by `NETLINK_SOCK_DIAG`.
    SockDiag,
    /// A scan of all sockets and all descriptors.
    Scan,
}

impl Method {
    /// Its name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bpf => "bpf",
            Self::Tracepoint => "tracepoint",
            Self::Connector => "connector",
            Self::SockDiag => "sock_diag",
            Self::Scan => "scan",
        }
    }
}

/// What happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A TCP connection was opened by the program.
    Connect,
    /// One was taken from a listener by the program.
    Accept,
    /// A datagram was sent by the program.
    Send,
    /// The program waits for whoever comes: a TCP listener, or a UDP socket that receives.
    Listen,
    /// The program was found holding the socket.
    Hold,
    /// A listener or UDP socket is closed.
    Close,
}

impl Action {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Accept => "accept",
            Self::Send => "send",
            Self::Listen => "listen",
            Self::Hold => "hold",
            Self::Close => "close",
        }
    }
}

/// A program: one process from one exec (or fork) to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Names it within this watch; never used twice.
    pub id: u64,
    /// Its process id.
    pub pid: u32,
    /// When the process started (UTC), in steps of the kernel's clock tick where read from /proc.
    pub started: Option<Nanos>,
    /// The process that made it.
    pub parent_pid: Option<u32>,
    /// That one's name: `_destroyed_` if it was gone before anyone looked, `AccessDenied` if refused.
    pub parent: Option<Arc<str>>,
    /// Real user id.
    pub uid: Option<u32>,
    /// The command's name.
    pub name: Arc<str>,
    /// The file it runs.
    pub path: Option<Arc<str>>,
    /// Its arguments, joined by blanks.
    pub cmdline: Option<Arc<str>>,
    /// Its control group, in the unified hierarchy or else the longest path of the others.
    pub cgroup: Option<Arc<str>>,
}

/// A socket and the program that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// When (UTC).
    pub ts: Nanos,
    /// What happened.
    pub action: Action,
    /// How it was found.
    pub method: Method,
    /// Protocol, addresses and ports.
    pub ends: Ends,
    /// The program's [`Program::id`]; 0 for [`Action::Close`].
    pub program: u64,
    /// The user it ran as at that moment, where the kernel told.
    pub uid: Option<u32>,
}

/// One thing told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A program that a socket is about to name, or more that is known of one told before.
    Program(Program),
    /// A program ended.
    Gone {
        /// The program's [`Program::id`].
        program: u64,
        /// When (UTC).
        ts: Nanos,
    },
    /// A socket.
    Socket(Socket),
    /// The kernel had to drop events: what is known of sockets before this may be outdated.
    Lost {
        /// When it was noticed (UTC).
        ts: Nanos,
        /// How many.
        events: u64,
    },
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events the kernel told.
    pub events: u64,
    /// Events the kernel dropped because we were late.
    pub lost: u64,
    /// Records dropped because nobody took them.
    pub dropped: u64,
    /// Sockets of other network namespaces, left out.
    pub foreign: u64,
    /// Sockets whose program or namespace could not be told for sure, left out.
    pub unsure: u64,
    /// Connections that were still being opened when their place was needed.
    pub evicted: u64,
    /// Programs known now.
    pub programs: u64,
    /// Exact questions asked.
    pub lookups: u64,
    /// Scans of all descriptors.
    pub scans: u64,
}

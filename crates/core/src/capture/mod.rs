//! Where packets come from: capture files and live interfaces, behind one trait.

#[cfg(target_os = "linux")]
mod afpacket;
pub mod bpf;
pub mod dedup;
pub mod filter;
#[cfg(unix)]
mod ifaddrs;
pub mod interfaces;
mod libpcap;
#[cfg(target_os = "linux")]
pub mod live;
#[cfg(not(target_os = "linux"))]
#[path = "unsupported.rs"]
pub mod live;
pub mod live_config;
#[cfg(target_os = "linux")]
mod wake;

use std::time::Duration;

use crate::error::Error;
use crate::packet::PacketBatch;

/// Yields packets. A source owns the buffer its packets lie in; each batch borrows it.
pub trait Source {
    /// The next packets. Call in a loop; waits at most `timeout` (files never wait).
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error>;

    /// Counters since the source was opened.
    fn stats(&mut self) -> SourceStats;
}

/// One answer of a source.
#[derive(Debug)]
// Batches are the common case, and made on the stack of the loop that uses them.
#[allow(clippy::large_enum_variant)]
pub enum Polled<'a> {
    /// One more interface, numbered from 0 in the order of these answers; comes before the
    /// first packet that bears its number.
    Interface(Interface),
    /// At least one packet.
    Packets(PacketBatch<'a>),
    /// Nothing within the timeout.
    Idle,
    /// Nothing ever again.
    End,
}

/// Where packets were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The interface's name, or the capture file's when it names none.
    pub name: String,
}

/// What a source counts itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStats {
    /// Packets the kernel could not hand over because we were late, per interface.
    pub kernel_dropped: Vec<u64>,
    /// Packets left out because another interface had shown them, per interface.
    pub duplicates: Vec<u64>,
    /// What a reader of the capture should know: a cut-off file, an unknown block.
    pub warnings: Vec<String>,
}

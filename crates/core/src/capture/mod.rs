//! Where packets come from: capture files and live interfaces, behind one trait.

pub mod files;
pub mod filter;
pub mod interfaces;
mod libpcap;
pub mod live;
pub mod record;

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
// Batches are by far the most common answer: boxing them would cost what batching saves.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
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

/// What a live interface is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceState {
    /// Watched, and switched on.
    Up,
    /// Watched, but switched off: it is waited for.
    Down,
    /// Not there, or not to be watched; it is waited for.
    Gone,
}

/// What a source counts itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStats {
    /// Packets the kernel could not hand over because we were late, per interface.
    pub kernel_dropped: Vec<u64>,
    /// Packets that were seen on another interface as well and counted there, per interface.
    pub duplicates: Vec<u64>,
    /// What has become of live interfaces, per interface; files have none.
    pub states: Vec<InterfaceState>,
    /// What a reader of the capture should know: a cut-off file, an unknown block.
    pub warnings: Vec<String>,
}

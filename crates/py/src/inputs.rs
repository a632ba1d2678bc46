//! The seam to the core's sources: what a reader and a watcher ask of them, and nothing else.

use std::time::Duration;

use tidegate_core::Error;
use tidegate_core::capture::{Interface, Polled, SourceStats};
use tidegate_core::packet::PacketBatch;

use crate::info::InterfaceInfo;

/// Files or live interfaces, opened and filtered.
pub(crate) trait Input: Send {
    /// As [`tidegate_core::capture::Source::poll`].
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error>;
    /// As [`tidegate_core::capture::Source::stats`].
    fn stats(&mut self) -> SourceStats;
    /// Bytes of the files read so far, and in all if known.
    fn progress(&self) -> (u64, Option<u64>) {
        (0, None)
    }
}

/// Writes what is captured to files beside.
pub(crate) trait Record: Send {
    /// Call with every interface the source announces.
    fn interface(&mut self, interface: &Interface) -> Result<(), Error>;
    /// Call with every batch.
    fn packets(&mut self, batch: &PacketBatch<'_>) -> Result<(), Error>;
    /// Call once at the end.
    fn close(&mut self) -> Result<(), Error>;
}

/// What a watcher is opened with.
pub(crate) struct LiveOptions {
    pub(crate) interfaces: Vec<String>,
    pub(crate) filter: Option<String>,
    pub(crate) snaplen: u32,
    pub(crate) promiscuous: bool,
    pub(crate) ring_bytes: usize,
}

/// Where and how a watcher records.
pub(crate) struct RecordOptions {
    pub(crate) path: String,
    pub(crate) bytes: Option<u64>,
    pub(crate) seconds: Option<f64>,
    pub(crate) total: Option<u64>,
    pub(crate) snaplen: u32,
}

pub(crate) fn open_files(
    _paths: &[String],
    _filter: Option<&str>,
) -> Result<Box<dyn Input>, Error> {
    Err(Error::Usage("files cannot be read yet".to_owned()))
}

pub(crate) fn open_live(_options: &LiveOptions) -> Result<Box<dyn Input>, Error> {
    Err(Error::Usage("interfaces cannot be watched yet".to_owned()))
}

pub(crate) fn open_record(_options: &RecordOptions) -> Result<Box<dyn Record>, Error> {
    Err(Error::Usage("recording does not work yet".to_owned()))
}

pub(crate) fn interfaces() -> Result<Vec<InterfaceInfo>, Error> {
    Ok(Vec::new())
}

pub(crate) fn check_filter(_expression: &str) -> Result<(), Error> {
    Ok(())
}

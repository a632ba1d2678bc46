//! The seam to the core's sources: what a reader and a watcher ask of them, and nothing else.

use std::time::Duration;

use tidegate_core::Error;
use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::{Polled, Source, SourceStats};

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

/// What a watcher is opened with.
pub(crate) struct LiveOptions {
    pub(crate) interfaces: Vec<String>,
    pub(crate) filter: Option<String>,
    pub(crate) snaplen: u32,
    pub(crate) promiscuous: bool,
    pub(crate) ring_bytes: usize,
}

/// Opens capture files.
pub(crate) fn open_files(paths: &[String], filter: Option<&str>) -> Result<Box<dyn Input>, Error> {
    if filter.is_some() {
        return Err(Error::Usage("files cannot be filtered yet".to_owned()));
    }
    if paths.is_empty() {
        return Err(Error::Usage("no files to read".to_owned()));
    }
    Ok(Box::new(Files(CaptureFiles::open(paths)?)))
}

/// Capture files with their filter.
struct Files(CaptureFiles);

impl Input for Files {
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error> {
        self.0.poll(timeout)
    }

    fn stats(&mut self) -> SourceStats {
        self.0.stats()
    }

    fn progress(&self) -> (u64, Option<u64>) {
        let progress = self.0.progress();
        (progress.read, progress.total)
    }
}

pub(crate) fn open_live(_options: &LiveOptions) -> Result<Box<dyn Input>, Error> {
    Err(Error::Usage("interfaces cannot be watched yet".to_owned()))
}

pub(crate) fn interfaces() -> Result<Vec<InterfaceInfo>, Error> {
    Ok(Vec::new())
}

pub(crate) fn check_filter(_expression: &str) -> Result<(), Error> {
    Ok(())
}

//! The seam to the core's sources: what a reader and a watcher ask of them, and nothing else.

use std::path::PathBuf;
use std::time::Duration;

use tidegate_core::Error;
use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::filter::FileFilter;
use tidegate_core::capture::live::LiveSource;
use tidegate_core::capture::{Polled, Source, SourceStats};

/// Files or live interfaces, opened and filtered.
pub(crate) trait Input: Send {
    /// As [`Source::poll`]; a filter may leave a batch empty.
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error>;
    /// As [`Source::stats`].
    fn stats(&mut self) -> SourceStats;
    /// Bytes of the files read so far, and in all if known.
    fn progress(&self) -> (u64, Option<u64>) {
        (0, None)
    }
}

/// Opens capture files.
pub(crate) fn open_files(paths: &[PathBuf], filter: Option<&str>) -> Result<Box<dyn Input>, Error> {
    if paths.is_empty() {
        return Err(Error::Usage("no files to read".to_owned()));
    }
    let filter = filter.map(FileFilter::new).transpose()?;
    let files = CaptureFiles::open(paths)?;
    Ok(Box::new(Files { files, filter }))
}

/// Capture files with their filter.
struct Files {
    files: CaptureFiles,
    filter: Option<FileFilter>,
}

impl Input for Files {
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error> {
        let mut polled = self.files.poll(timeout)?;
        if let (Polled::Packets(batch), Some(filter)) = (&mut polled, &mut self.filter) {
            batch.retain(|packet| filter.matches(packet));
        }
        Ok(polled)
    }

    fn stats(&mut self) -> SourceStats {
        let mut stats = self.files.stats();
        if let Some(filter) = &self.filter {
            stats.warnings.extend_from_slice(filter.warnings());
        }
        stats
    }

    fn progress(&self) -> (u64, Option<u64>) {
        let progress = self.files.progress();
        (progress.read, progress.total)
    }
}

impl Input for LiveSource {
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error> {
        Source::poll(self, timeout)
    }

    fn stats(&mut self) -> SourceStats {
        Source::stats(self)
    }
}

//! Capture files as one source: pcap and pcapng, plain, gzip or zstd, one after the other.

mod compressed;
mod current;
mod endian;
mod format;
mod numbering;
mod pcap;
mod pcapng;
mod pipe;
mod timestamp;
mod warnings;
mod window;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(super) use self::format::MAX_BLOCK;

use self::compressed::{Input, Raw};
use self::current::{Current, Over, Progressed};
use self::numbering::Interfaces;
use self::pipe::Pipe;
use self::warnings::Warnings;
use self::window::Window;
use crate::capture::{Polled, Source, SourceStats};
use crate::error::Error;
use crate::packet::PacketBatch;

/// How often one call reads without finding a packet before it gives [`Polled::Idle`].
const MAX_READS: usize = 16;

/// Capture files, read one after the other as one capture.
///
/// [`CaptureFiles::open`] looks at every regular file before anything is read: one that is
/// missing, forbidden or no capture is an error at once. A file that is empty or ends
/// within its first header is an error if it is the only one, else a warning. A file that
/// is cut off or damaged further on gives its packets up to there and a warning.
///
/// Memory: a buffer of 256 KiB, which grows to a longest block of 16 MiB; a decoder's state
/// (up to 128 MiB for zstd); the names of at most 65,536 interfaces.
///
/// [`Polled::Idle`] means that a call has read 16 pieces without finding a packet, or
/// was interrupted by a signal while it waited for standard input, or still waits for the
/// writer of a named pipe: call again, no time
/// has passed in the capture. After an error the next call goes on with the next file.
pub struct CaptureFiles {
    waiting: VecDeque<Waiting>,
    current: Option<Current>,
    window: Window,
    interfaces: Interfaces,
    warnings: Warnings,
    /// Whether a file that has nothing to read is an error.
    only: bool,
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

/// Bytes read and to be read, as they lie on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Read so far.
    pub read: u64,
    /// Of all files together; `None` if one of them is a pipe.
    pub total: Option<u64>,
}

/// A file that is not open yet.
enum Waiting {
    Path(PathBuf),
    Stream(PathBuf, Raw),
}

impl CaptureFiles {
    /// Opens files; `-` is standard input.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, Error> {
        let mut files = Self::empty(paths.len() < 2);
        let mut total = Some(0_u64);
        let mut nothing = None;
        for path in paths.iter().map(AsRef::as_ref) {
            match check(path)? {
                Checked::Stream => total = None,
                Checked::Capture(bytes) => total = total.map(|sum| sum.saturating_add(bytes)),
                Checked::Nothing(reason) => {
                    files.warnings.push(format!("{}: {reason}", path.display()));
                    nothing =
                        nothing.or(Some(Error::NotACapture { path: path.to_owned(), reason }));
                    continue;
                }
            }
            files.waiting.push_back(Waiting::Path(path.to_owned()));
        }
        files.total = total;
        match nothing {
            Some(error) if files.waiting.is_empty() => Err(error),
            _ => Ok(files),
        }
    }

    /// Reads a capture from a stream; `name` stands for the file's in warnings and rows.
    pub fn from_stream(name: impl Into<PathBuf>, stream: impl Read + Send + 'static) -> Self {
        let mut files = Self::empty(true);
        files.total = None;
        files.waiting.push_back(Waiting::Stream(name.into(), Box::new(stream)));
        files
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        Progress { read: self.read.load(Ordering::Relaxed), total: self.total }
    }

    fn empty(only: bool) -> Self {
        Self {
            waiting: VecDeque::new(),
            current: None,
            window: Window::new(),
            interfaces: Interfaces::default(),
            warnings: Warnings::default(),
            only,
            read: Arc::default(),
            total: Some(0),
        }
    }

    /// Opens the next file, if there is one.
    fn next_file(&mut self) -> Result<bool, Error> {
        let (path, raw) = match self.waiting.pop_front() {
            None => return Ok(false),
            Some(Waiting::Stream(path, raw)) => (path, raw),
            Some(Waiting::Path(path)) => {
                let raw = open_raw(&path)?;
                (path, raw)
            }
        };
        self.window.clear();
        let name =
            path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
        self.interfaces.begin_file(&name);
        let input = Input::new(raw, Arc::clone(&self.read));
        self.current = Some(Current::new(path, input));
        Ok(true)
    }

    /// Ends the current file, as its end deserves.
    fn end_file(&mut self, over: Over) -> Result<(), Error> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        current.report(&mut self.warnings);
        let (path, packets) = (current.path, current.packets);
        let line = match over {
            Over::Ended => return Ok(()),
            Over::Cut => format!("cut off after {packets} packets"),
            Over::Damaged(reason) if packets == 0 && self.only => {
                return Err(Error::NotACapture {
                    path,
                    reason: format!("damaged from its start: {reason}"),
                });
            }
            Over::Damaged(why) => {
                format!("damaged after {packets} packets ({why}); the rest was not read")
            }
            Over::Nothing(reason) if !self.only => reason,
            Over::Not(reason) | Over::Nothing(reason) => {
                return Err(Error::NotACapture { path, reason });
            }
        };
        self.warnings.push(format!("{}: {line}", path.display()));
        Ok(())
    }

    /// Lends the packets at the front of the window.
    fn lend(&mut self) -> Polled<'_> {
        let mut batch = PacketBatch::new();
        if let Some(Current { format: Some(format), packets, .. }) = &mut self.current {
            self.window.lend(|bytes| ((), format.packets(bytes, &mut batch)));
            *packets += batch.len() as u64;
        }
        Polled::Packets(batch)
    }
}

impl Source for CaptureFiles {
    fn poll(&mut self, _timeout: Duration) -> Result<Polled<'_>, Error> {
        let mut reads = 0;
        loop {
            let Some(current) = &mut self.current else {
                if self.next_file()? {
                    continue;
                }
                return Ok(Polled::End);
            };
            let over = match current.step(&mut self.window, &mut self.interfaces) {
                Progressed::Packets => return Ok(self.lend()),
                Progressed::Interface(interface) => return Ok(Polled::Interface(interface)),
                Progressed::Further => continue,
                Progressed::Need(_) if reads >= MAX_READS => return Ok(Polled::Idle),
                Progressed::Over(over) => over,
                Progressed::Need(need) => {
                    reads += 1;
                    match self.window.fill(&mut current.input, need) {
                        Ok(0) => current.at_end(self.window.bytes()),
                        Ok(_) => continue,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                            return Ok(Polled::Idle);
                        }
                        Err(source) => match current.failed(&source) {
                            Some(over) => over,
                            None => return Err(self.unreadable(source)),
                        },
                    }
                }
            };
            self.end_file(over)?;
        }
    }

    fn stats(&mut self) -> SourceStats {
        let mut warnings = self.warnings.lines();
        if let Some(current) = &self.current {
            let mut open = Warnings::default();
            current.report(&mut open);
            warnings.extend(open.lines());
        }
        SourceStats {
            duplicates: Vec::new(),
            kernel_dropped: self.interfaces.dropped.clone(),
            states: Vec::new(),
            warnings,
        }
    }
}

impl CaptureFiles {
    /// The system failed to read the current file, which ends it.
    fn unreadable(&mut self, source: io::Error) -> Error {
        let path = self.current.take().map(|current| current.path).unwrap_or_default();
        Error::File { path, source }
    }
}

/// What a look at a file before reading shows.
enum Checked {
    /// A pipe or the like, which can be looked at only once.
    Stream,
    /// A capture of so many bytes on disk.
    Capture(u64),
    /// Too short to hold anything.
    Nothing(String),
}

/// Looks whether a file can be read, without reading more than its first bytes.
fn check(path: &Path) -> Result<Checked, Error> {
    if path == Path::new("-") {
        return Ok(Checked::Stream);
    }
    let file = |source| Error::File { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(file)?;
    if metadata.is_dir() {
        let reason = "a directory; name the capture files in it".to_owned();
        return Err(Error::NotACapture { path: path.to_owned(), reason });
    }
    if !metadata.is_file() {
        return Ok(Checked::Stream);
    }
    let input = Input::new(open_raw(path)?, Arc::default());
    let mut current = Current::new(path.to_owned(), input);
    let mut window = Window::with_capacity(64);
    let over = loop {
        match current.identify(&window) {
            Progressed::Need(need) => match window.fill(&mut current.input, need) {
                Ok(0) => break current.at_end(window.bytes()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => break current.failed(&source).ok_or_else(|| file(source))?,
            },
            Progressed::Over(over) => break over,
            _ => return Ok(Checked::Capture(metadata.len())),
        }
    };
    match over {
        Over::Not(reason) => Err(Error::NotACapture { path: path.to_owned(), reason }),
        Over::Nothing(reason) | Over::Damaged(reason) => Ok(Checked::Nothing(reason)),
        Over::Ended | Over::Cut => Ok(Checked::Capture(metadata.len())),
    }
}

fn open_raw(path: &Path) -> Result<Raw, Error> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = if is_pipe(path) {
        Pipe::open(path).map(|pipe| Box::new(pipe) as Raw)
    } else {
        File::open(path).map(|file| Box::new(file) as Raw)
    };
    opened.map_err(|source| Error::File { path: path.to_owned(), source })
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Elsewhere pipes have no place among files.
#[cfg(not(unix))]
fn is_pipe(_path: &Path) -> bool {
    false
}

//! Recording: packets to pcapng, one file or a rotating series with a cap on its total.

mod blocks;
mod recording;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use self::recording::Recording;
use crate::capture::Interface;
use crate::error::Error;
use crate::packet::{Nanos, Packet};
use crate::private;

/// What to record where. A limit of `None` does not apply.
#[derive(Clone, Debug, Default)]
pub struct RecordConfig {
    /// The file. Without limits it is this very file, and what it held is replaced. With
    /// any limit it is a series of numbered files beside it: `trace.pcapng` gives
    /// `trace_00001.pcapng`, `trace_00002.pcapng` and so on, counting on from those of
    /// an earlier run, which are neither replaced nor deleted.
    pub path: PathBuf,
    /// A new file before one gets larger than this.
    pub max_bytes: Option<u64>,
    /// A new file once one spans so many seconds of packet time.
    pub max_seconds: Option<f64>,
    /// The series' files together are kept within this many bytes by deleting the oldest.
    /// No file gets larger than half of it; alone, it makes files of a tenth of it.
    pub max_total: Option<u64>,
    /// Bytes kept of each packet, 0 for all (up to 16 MiB less 64 bytes).
    pub snaplen: u32,
}

/// What was recorded and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordStats {
    /// Packets written to files.
    pub packets: u64,
    /// Packets that could not be written.
    pub lost: u64,
    /// Bytes written to files.
    pub bytes: u64,
    /// Files begun.
    pub files: u64,
    /// Files deleted to keep within the total.
    pub deleted: u64,
}

/// Writes packets to pcapng files.
///
/// Packets are gathered and written in large pieces; [`Recorder::flush`] writes what is
/// there. When writing fails, a file is cut back to its last whole packet, so it stays
/// readable; the packets are counted as lost, and the next ones are tried again.
pub struct Recorder {
    limits: Limits,
    naming: Naming,
    interfaces: Vec<String>,
    current: Option<Recording>,
    /// Finished files of the series with their sizes, oldest first.
    finished: VecDeque<(PathBuf, u64)>,
    finished_bytes: u64,
    stats: RecordStats,
}

#[derive(Debug)]
struct Limits {
    bytes: u64,
    span: Nanos,
    total: u64,
    snaplen: u32,
    /// The most bytes of a packet that are written.
    packet: usize,
}

/// How the next file is called.
#[derive(Debug)]
enum Naming {
    One(PathBuf),
    Series { path: PathBuf, next: u64 },
}

impl Recorder {
    /// Begins a recording: the first file exists afterwards, with its header.
    pub fn create(config: RecordConfig) -> Result<Self, Error> {
        let limits = Limits::of(&config)?;
        let one = config.max_bytes.is_none()
            && config.max_seconds.is_none()
            && config.max_total.is_none();
        let naming = if one { Naming::One(config.path) } else { Naming::series(config.path)? };
        let mut recorder = Self {
            limits,
            naming,
            interfaces: Vec::new(),
            current: None,
            finished: VecDeque::new(),
            finished_bytes: 0,
            stats: RecordStats::default(),
        };
        recorder.begin_file()?;
        Ok(recorder)
    }

    /// Call when the source announces an interface.
    pub fn interface(&mut self, interface: &Interface) {
        self.interfaces.push(interface.name.clone());
    }

    /// Records a packet. An error says that it, and perhaps some before it, are lost; the
    /// recorder stays usable.
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let data = packet.data.get(..self.limits.packet).unwrap_or(packet.data);
        let packet = Packet { data, ..*packet };
        let ready = self.make_ready(&packet);
        let (Ok(()), Some(current)) = (&ready, &mut self.current) else {
            self.stats.lost += 1;
            return ready;
        };
        current.packet(&packet, name_of(&self.interfaces, packet.iface));
        if current.is_due() { self.flush() } else { Ok(()) }
    }

    /// Notes for whoever reads the recording how many packets the kernel dropped on an
    /// interface. Call once, at the end, for each interface that dropped any.
    pub fn dropped(&mut self, iface: u16, ts: Nanos, packets: u64) {
        let name = name_of(&self.interfaces, iface);
        if let Some(current) = &mut self.current {
            current.statistics(iface, name, ts, packets);
        }
    }

    /// Writes what is gathered.
    pub fn flush(&mut self) -> Result<(), Error> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let written = current.flush(&mut self.stats);
        written.map_err(|source| file_error(current.path(), source))
    }

    /// Writes what is gathered and ends the recording.
    pub fn close(mut self) -> Result<RecordStats, Error> {
        self.flush()?;
        Ok(self.stats)
    }

    /// What was recorded so far; gathered packets count once they are written.
    pub fn stats(&self) -> RecordStats {
        self.stats
    }

    /// Begins a new file if the packet does not belong into this one, and deletes old ones
    /// that leave no room for it.
    fn make_ready(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let needed = Recording::needed(packet, name_of(&self.interfaces, packet.iface));
        let full = self.current.as_ref().is_none_or(|current| {
            let too_large = current.size().saturating_add(needed) > self.limits.bytes;
            current.has_packets() && (too_large || current.span(packet.ts) >= self.limits.span)
        });
        if full {
            self.end_file()?;
            self.begin_file()?;
        }
        self.make_room(needed)
    }

    fn begin_file(&mut self) -> Result<(), Error> {
        let (path, file) = self.naming.open()?;
        self.stats.files += 1;
        self.current = Some(Recording::new(path, file, self.limits.snaplen));
        self.flush()
    }

    fn end_file(&mut self) -> Result<(), Error> {
        let flushed = self.flush();
        if let Some(done) = self.current.take() {
            self.finished_bytes += done.size();
            self.finished.push_back((done.path().to_owned(), done.size()));
        }
        flushed
    }

    /// Deletes the oldest files until `needed` more bytes fit into the total.
    fn make_room(&mut self, needed: u64) -> Result<(), Error> {
        let size = self.current.as_ref().map_or(0, Recording::size);
        while self.finished_bytes + size + needed > self.limits.total {
            let Some((path, bytes)) = self.finished.pop_front() else {
                break;
            };
            self.finished_bytes -= bytes;
            match std::fs::remove_file(&path) {
                Ok(()) => self.stats.deleted += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(file_error(&path, source)),
            }
        }
        Ok(())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Nobody is left to be told; who wants to know calls close().
        drop(self.flush());
    }
}

impl Limits {
    fn of(config: &RecordConfig) -> Result<Self, Error> {
        let usage = |what: &str| Err(Error::Usage(format!("recording: {what}")));
        if config.path == Path::new("-") {
            return usage("name a file, standard output cannot be recorded to");
        }
        if config.max_bytes == Some(0) || config.max_total == Some(0) {
            return usage("a limit of 0 bytes leaves no room for packets");
        }
        if config.max_seconds.is_some_and(|seconds| seconds.is_nan() || seconds <= 0.0) {
            return usage("a file must span more than 0 seconds");
        }
        let largest = match (config.max_bytes, config.max_seconds, config.max_total) {
            (None, None, Some(total)) => total / 10,
            (bytes, _, total) => {
                bytes.unwrap_or(u64::MAX).min(total.map_or(u64::MAX, |total| total / 2))
            }
        };
        let whole = Recording::MAX_PACKET;
        Ok(Self {
            bytes: largest,
            span: config.max_seconds.map_or(Nanos::MAX, |seconds| (seconds * 1e9) as Nanos),
            total: config.max_total.unwrap_or(u64::MAX),
            snaplen: config.snaplen,
            packet: if config.snaplen == 0 { whole } else { whole.min(config.snaplen as usize) },
        })
    }
}

impl Naming {
    /// A series that counts on from the files of that name that are there.
    fn series(path: PathBuf) -> Result<Self, Error> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = parent.unwrap_or(Path::new("."));
        let entries = std::fs::read_dir(folder).map_err(|source| file_error(folder, source))?;
        let last = entries.filter_map(|entry| number_of(&path, &entry.ok()?.path())).max();
        Ok(Self::Series { path, next: last.unwrap_or(0).saturating_add(1) })
    }

    /// Creates the next file.
    fn open(&mut self) -> Result<(PathBuf, File), Error> {
        match self {
            Self::One(path) => {
                let file = private::create(path).map_err(|source| file_error(path, source))?;
                Ok((path.clone(), file))
            }
            Self::Series { path, next } => {
                let path = numbered(path, *next);
                let file =
                    private::options(OpenOptions::new().write(true).create_new(true)).open(&path);
                *next = next.saturating_add(1);
                Ok((path.clone(), file.map_err(|source| file_error(&path, source))?))
            }
        }
    }
}

/// `trace.pcapng` and 7 give `trace_00007.pcapng`.
fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path.file_stem().map(OsString::from).unwrap_or_default();
    name.push(format!("_{number:05}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// The number of a file in the series of `path`, if it is one of it.
fn number_of(path: &Path, file: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let number = file.file_stem()?.to_str()?.strip_prefix(stem)?.strip_prefix('_')?.parse().ok()?;
    (numbered(path, number).file_name() == file.file_name()).then_some(number)
}

fn name_of(interfaces: &[String], number: u16) -> &str {
    interfaces.get(usize::from(number)).map_or("", String::as_str)
}

fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}

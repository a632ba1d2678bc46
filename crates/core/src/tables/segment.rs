//! The open segment of a table: an Arrow IPC stream that only grows, readable at any moment.
//!
//! The reader takes whole messages only. Whatever follows the last whole batch (a message still
//! being written, or torn by a crash) is not an error: it is not there yet, or no longer.

use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, SchemaRef};

use super::durable::{DurableFile, at};
use super::frame::Frames;
use super::parquet::ParquetFile;
use crate::error::Error;

/// Appends batches to a segment; each is in the file when [`SegmentWriter::write`] returns, and
/// on disk after [`SegmentWriter::sync`].
pub struct SegmentWriter {
    path: PathBuf,
    file: File,
    stream: StreamWriter<Vec<u8>>,
    bytes: u64,
    rows: u64,
}

impl SegmentWriter {
    /// Creates the segment with its schema whole and on disk; refuses one that exists.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self, Error> {
        if path.exists() {
            return Err(at(path)(std::io::ErrorKind::AlreadyExists.into()));
        }
        let mut stream = StreamWriter::try_new(Vec::new(), schema)?;
        let mut start = DurableFile::create(path)?;
        start.write_all(stream.get_ref()).map_err(at(path))?;
        stream.get_mut().clear();
        let (file, bytes) = start.commit()?;
        Ok(Self { path: path.to_owned(), file, stream, bytes, rows: 0 })
    }

    /// Adds a batch.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        self.stream.write(rows)?;
        self.append()?;
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// Waits until everything written is on disk.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_data().map_err(at(&self.path))
    }

    /// Marks the end of the stream and syncs.
    pub fn close(mut self) -> Result<(), Error> {
        self.stream.finish()?;
        self.append()?;
        self.sync()
    }

    /// The file's size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what the stream has encoded. A message cut short (a full disk) is taken back, so
    /// that the batches after it can still be read.
    fn append(&mut self) -> Result<(), Error> {
        let written = self.file.write_all(self.stream.get_ref());
        let length = self.stream.get_ref().len() as u64;
        self.stream.get_mut().clear();
        if let Err(error) = written {
            let _ = self.file.set_len(self.bytes);
            let _ = std::io::Seek::seek(&mut self.file, std::io::SeekFrom::Start(self.bytes));
            return Err(at(&self.path)(error));
        }
        self.bytes += length;
        Ok(())
    }
}

/// A segment as it lies on disk, open or left over. Holds its name and schema, no rows.
#[derive(Clone, Debug)]
pub struct Segment {
    path: PathBuf,
    schema: Option<SchemaRef>,
}

impl Segment {
    /// Reads the schema. An empty file, or one whose schema is torn, is a segment without one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut frames = Frames::open(path)?;
        let schema = match frames.next_frame()? {
            Some(frame) => guarded(|| frame.schema()).ok(),
            None => None,
        };
        Ok(Self { path: path.to_owned(), schema })
    }

    /// The columns, if the file holds them whole.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// The batches in the file now, one in memory at a time. Ends at the first message that is
    /// not whole or does not hold what it says.
    pub fn batches(&self) -> Result<Batches, Error> {
        let mut frames = Frames::open(&self.path)?;
        let schema = self.schema.clone().filter(|_| matches!(frames.next_frame(), Ok(Some(_))));
        Ok(Batches { frames, schema })
    }

    /// Rewrites it as Parquet and returns the rows written; without rows, no file.
    pub fn to_parquet(&self, path: &Path) -> Result<u64, Error> {
        let Some(schema) = self.schema.clone() else {
            return Ok(0);
        };
        let mut file = None;
        for rows in self.batches()? {
            let rows = rows?;
            let file = match &mut file {
                Some(file) => file,
                None => file.insert(ParquetFile::create(path, schema.clone())?),
            };
            file.write(&rows)?;
        }
        let Some(file) = file else { return Ok(0) };
        let rows = file.rows();
        file.close()?;
        Ok(rows)
    }
}

/// Reads a segment's batches in order.
#[derive(Debug)]
pub struct Batches {
    frames: Frames,
    schema: Option<SchemaRef>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let schema = self.schema.clone()?;
        let frame = match self.frames.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return self.end(),
            Err(error) => {
                self.schema = None;
                return Some(Err(error));
            }
        };
        match guarded(|| frame.batch(schema)) {
            Ok(rows) => Some(Ok(rows)),
            Err(_) => self.end(),
        }
    }
}

impl Batches {
    fn end(&mut self) -> Option<<Self as Iterator>::Item> {
        self.schema = None;
        None
    }
}

/// The frame's lengths are checked before; what arrow-ipc still finds impossible in damaged
/// bytes it may answer with a panic, which must end the segment and not the program.
fn guarded<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("damaged message".to_owned())))
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;

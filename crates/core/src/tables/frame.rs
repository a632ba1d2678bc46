//! Messages of an Arrow IPC stream, each checked to be whole before arrow-ipc sees it.
//!
//! Layout (Arrow columnar format, "Encapsulated message format"): `FF FF FF FF`, metadata
//! length, metadata (a flatbuffer), body of the length that the metadata tells.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::{Message, MessageHeader, convert, reader, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};

use super::durable::at;
use crate::error::Error;

const CONTINUATION: [u8; 4] = [0xFF; 4];

/// Cuts a file into messages, never reading past what it held when it was opened.
#[derive(Debug)]
pub(super) struct Frames {
    path: PathBuf,
    file: BufReader<File>,
    /// Bytes of the file not read yet: no length in it may ask for more.
    left: u64,
}

/// A whole message.
#[derive(Debug)]
pub(super) struct Frame {
    metadata: Vec<u8>,
    body: Buffer,
}

impl Frames {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(at(path))?;
        let left = file.metadata().map_err(at(path))?.len();
        Ok(Self { path: path.to_owned(), file: BufReader::new(file), left })
    }

    /// The next whole message; `None` at the end mark, at the end, and before a torn one.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        let mut prefix = [0; 8];
        if !self.fill(&mut prefix)? {
            return Ok(None);
        }
        let [a, b, c, d, length @ ..] = prefix;
        let length = u32::from_le_bytes(length);
        if [a, b, c, d] != CONTINUATION || length == 0 || u64::from(length) > self.left {
            return Ok(None);
        }
        let mut metadata = vec![0; length as usize];
        if !self.fill(&mut metadata)? {
            return Ok(None);
        }
        let Some(length) = body_length(&metadata).filter(|length| *length <= self.left) else {
            return Ok(None);
        };
        let mut body = MutableBuffer::from_len_zeroed(length as usize);
        let whole = self.fill(&mut body)?;
        Ok(whole.then(|| Frame { metadata, body: body.into() }))
    }

    /// Reads exactly `into`, or tells that the file does not hold as much.
    fn fill(&mut self, into: &mut [u8]) -> Result<bool, Error> {
        if into.len() as u64 > self.left {
            return Ok(false);
        }
        match self.file.read_exact(into) {
            Ok(()) => self.left -= into.len() as u64,
            // Shortened since it was opened: whatever was whole before stays.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(at(&self.path)(error)),
        }
        Ok(true)
    }
}

fn body_length(metadata: &[u8]) -> Option<u64> {
    u64::try_from(root_as_message(metadata).ok()?.bodyLength()).ok()
}

impl Frame {
    /// The stream's columns, if this is its first message.
    pub(super) fn schema(&self) -> Result<SchemaRef, ArrowError> {
        let schema = self.message()?.header_as_schema().ok_or_else(|| damaged("no schema"))?;
        Ok(Arc::new(convert::fb_to_schema(schema)))
    }

    /// The rows it holds.
    pub(super) fn batch(&self, schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        let message = self.message()?;
        if message.header_type() != MessageHeader::RecordBatch {
            return Err(damaged("not a batch"));
        }
        let batch = message.header_as_record_batch().ok_or_else(|| damaged("no batch"))?;
        self.check(&batch)?;
        let none = HashMap::new();
        reader::read_record_batch(&self.body, batch, schema, &none, None, &message.version())
    }

    /// Every buffer lies inside the body, and nothing in it asks to be inflated: we never
    /// compress, so a codec can only be damage, and its lengths could ask for any memory.
    fn check(&self, batch: &arrow_ipc::RecordBatch<'_>) -> Result<(), ArrowError> {
        let inside = |buffer: &arrow_ipc::Buffer| {
            let offset = u64::try_from(buffer.offset()).ok();
            let length = u64::try_from(buffer.length()).ok();
            let end = offset.zip(length).and_then(|(offset, length)| offset.checked_add(length));
            end.is_some_and(|end| end <= self.body.len() as u64)
        };
        let mut nodes = batch.nodes().into_iter().flatten();
        let sane = batch.compression().is_none()
            && batch.length() >= 0
            && nodes.all(|node| node.length() >= 0 && node.null_count() >= 0)
            && batch.buffers().is_some_and(|buffers| buffers.iter().all(inside));
        if sane { Ok(()) } else { Err(damaged("a buffer lies outside its message")) }
    }

    fn message(&self) -> Result<Message<'_>, ArrowError> {
        root_as_message(&self.metadata).map_err(|error| damaged(&error.to_string()))
    }
}

fn damaged(what: &str) -> ArrowError {
    ArrowError::IpcError(format!("damaged segment: {what}"))
}

//! Rows to and from files: Parquet, and the segments that a store grows by.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatchReader;
use arrow_schema::{ArrowError, Schema};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::input::AnyRecordBatch;
use tidegate_core::Error;
use tidegate_core::tables::parquet::ParquetFile;
use tidegate_core::tables::segment;

use crate::batch::{Batch, export_schema, export_stream};
use crate::error::away;

/// Arrow rows to one Parquet file.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct ParquetWriter {
    path: PathBuf,
    file: Mutex<Slot<ParquetFile>>,
}

/// Something that is opened late and closed once.
enum Slot<T> {
    Waiting,
    Open(T),
    Closed,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed(path: &std::path::Path) -> Error {
    Error::Usage(format!("{}: closed already", path.display()))
}

#[pymethods]
impl ParquetWriter {
    #[new]
    fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::new(Slot::Waiting) }
    }

    fn write(&self, py: Python<'_>, rows: AnyRecordBatch) -> PyResult<()> {
        let input = rows.into_reader()?;
        away(py, move || self.add(input))
    }

    fn close(&self, py: Python<'_>) -> PyResult<u64> {
        away(py, || match std::mem::replace(&mut *lock(&self.file), Slot::Closed) {
            Slot::Open(file) => file.close(),
            Slot::Waiting | Slot::Closed => Ok(0),
        })
    }
}

impl ParquetWriter {
    fn add(&self, input: Box<dyn RecordBatchReader + Send>) -> Result<(), Error> {
        let mut slot = lock(&self.file);
        if matches!(*slot, Slot::Waiting) {
            *slot = Slot::Open(ParquetFile::create(&self.path, input.schema())?);
        }
        let Slot::Open(file) = &mut *slot else {
            return Err(closed(&self.path));
        };
        for rows in input {
            file.write(&rows?)?;
        }
        Ok(())
    }
}

/// The open segment of a table.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct SegmentWriter {
    path: PathBuf,
    inner: Mutex<Growing>,
}

/// The writer while there is one, and what it had written.
struct Growing {
    writer: Option<segment::SegmentWriter>,
    bytes: u64,
    rows: u64,
}

#[pymethods]
impl SegmentWriter {
    #[new]
    fn new(py: Python<'_>, path: PathBuf, batch: &Batch) -> PyResult<Self> {
        let schema = batch.rows.schema();
        let writer = away(py, || segment::SegmentWriter::create(&path, &schema))?;
        let inner = Growing { bytes: writer.bytes(), rows: 0, writer: Some(writer) };
        Ok(Self { path, inner: Mutex::new(inner) })
    }

    fn write(&self, py: Python<'_>, batch: &Batch) -> PyResult<()> {
        self.with(py, |writer| writer.write(&batch.rows))
    }

    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, segment::SegmentWriter::sync)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        away(py, || match lock(&self.inner).writer.take() {
            Some(writer) => writer.close(),
            None => Ok(()),
        })
    }

    #[getter]
    fn bytes_written(&self) -> u64 {
        lock(&self.inner).bytes
    }

    #[getter]
    fn rows_written(&self) -> u64 {
        lock(&self.inner).rows
    }
}

impl SegmentWriter {
    fn with(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut segment::SegmentWriter) -> Result<(), Error> + Send,
    ) -> PyResult<()> {
        away(py, || {
            let mut inner = lock(&self.inner);
            let writer = inner.writer.as_mut().ok_or_else(|| closed(&self.path))?;
            let done = work(writer);
            (inner.bytes, inner.rows) = (writer.bytes(), writer.rows());
            done
        })
    }
}

/// An open or left-over segment up to its last whole batch.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct SegmentReader {
    segment: segment::Segment,
}

#[pymethods]
impl SegmentReader {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let segment = away(py, || segment::Segment::open(&path))?;
        Ok(Self { segment })
    }

    #[getter]
    fn readable(&self) -> bool {
        self.segment.schema().is_some()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        match self.segment.schema() {
            Some(schema) => export_schema(py, schema),
            None => export_schema(py, &Schema::empty()),
        }
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batches = away(py, || self.segment.batches())?;
        let rows =
            batches.map(|rows| rows.map_err(|error| ArrowError::ExternalError(Box::new(error))));
        let none = Schema::empty();
        let schema = self.segment.schema().map_or(&none, AsRef::as_ref);
        export_stream(py, schema, rows, requested_schema)
    }

    fn to_parquet(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        away(py, || self.segment.to_parquet(&path))
    }
}

//! Rows as text for Python.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatchReader;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3_arrow::input::AnyRecordBatch;
use tidegate_core::Error;
use tidegate_core::tables::text;

use crate::error::{away, raised};

/// Bytes of text made before they are handed over.
const PIECE: usize = 1 << 20;

type Input = Box<dyn RecordBatchReader + Send>;
type Writer = Arc<Mutex<text::TextWriter>>;

/// Arrow rows as text: tsv, csv or jsonl.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct TextWriter {
    writer: Writer,
}

#[pymethods]
impl TextWriter {
    #[new]
    #[pyo3(signature = (format, *, header=true))]
    fn new(format: &str, header: bool) -> PyResult<Self> {
        let format = format.parse().map_err(raised)?;
        Ok(Self { writer: Arc::new(Mutex::new(text::TextWriter::new(format, header))) })
    }

    fn write<'py>(&self, py: Python<'py>, rows: AnyRecordBatch) -> PyResult<Bound<'py, PyBytes>> {
        let mut input = rows.into_reader()?;
        let out = away(py, || write(&self.writer, &mut input, usize::MAX))?;
        Ok(PyBytes::new(py, &out))
    }

    fn pieces(&self, rows: AnyRecordBatch) -> PyResult<TextPieces> {
        let input = Mutex::new(rows.into_reader()?);
        Ok(TextPieces { writer: Arc::clone(&self.writer), input })
    }
}

/// Text in pieces of about a megabyte, made as they are asked for.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct TextPieces {
    writer: Writer,
    input: Mutex<Input>,
}

#[pymethods]
impl TextPieces {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let out = away(py, || {
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            write(&self.writer, &mut input, PIECE)
        })?;
        Ok((!out.is_empty()).then(|| PyBytes::new(py, &out)))
    }
}

fn write(writer: &Writer, input: &mut Input, enough: usize) -> Result<Vec<u8>, Error> {
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    let mut out = Vec::new();
    writer.schema(&input.schema(), &mut out)?;
    while out.len() < enough {
        match input.next() {
            Some(rows) => writer.write(&rows?, &mut out)?,
            None => break,
        }
    }
    Ok(out)
}

//! Rows as lines of JSON by a layout that Python has (`tidegate.sinks.layout`), read by its attributes.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3_arrow::input::AnyRecordBatch;
use tidegate_core::Error;
use tidegate_core::tables::text::layout::{self, Key, Layout, Piece, Value};

use crate::error::{away, raised};

type Any<'a, 'py> = &'a Bound<'py, PyAny>;

/// Arrow rows as lines of JSON, as a layout has them.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct LineWriter {
    writer: Mutex<layout::LineWriter>,
}

#[pymethods]
impl LineWriter {
    #[new]
    fn new(layout: Any<'_, '_>) -> PyResult<Self> {
        let writer = layout::LineWriter::new(&read(layout)?).map_err(raised)?;
        Ok(Self { writer: Mutex::new(writer) })
    }

    fn write<'py>(&self, py: Python<'py>, rows: AnyRecordBatch) -> PyResult<Bound<'py, PyBytes>> {
        let input = rows.into_reader()?;
        let out = away(py, || {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let mut out = Vec::new();
            for batch in input {
                writer.write(&batch.map_err(Error::Arrow)?, &mut out)?;
            }
            Ok(out)
        })?;
        Ok(PyBytes::new(py, &out))
    }
}

fn read(from: Any<'_, '_>) -> PyResult<Layout> {
    let mut kinds = Vec::new();
    for item in from.getattr("kinds")?.try_iter()? {
        let (kind, keys): (String, Option<Bound<'_, PyAny>>) = item?.extract()?;
        kinds.push((kind, keys.map(|keys| each(&keys)).transpose()?));
    }
    Ok(Layout {
        by: from.getattr("by")?.extract()?,
        kinds,
        others: each(&from.getattr("others")?)?,
    })
}

fn each(keys: Any<'_, '_>) -> PyResult<Vec<Key>> {
    keys.try_iter()?.map(|key| read_key(&key?)).collect()
}

fn read_key(from: Any<'_, '_>) -> PyResult<Key> {
    let style: String = from.getattr("style")?.extract()?;
    let column: String = from.getattr("column")?.extract()?;
    let texts = from.getattr("texts")?;
    let value = match style.as_str() {
        "constant" => Value::Constant(texts.extract::<(String,)>()?.0),
        "either" => Value::Either(column, texts.extract::<(String, String)>()?.into()),
        "joined" => Value::Joined(pieces(&from.getattr("pieces")?)?),
        style => Value::Column(column, style.parse().map_err(raised)?),
    };
    Ok(Key { path: from.getattr("path")?.extract()?, value })
}

fn pieces(from: Any<'_, '_>) -> PyResult<Vec<Piece>> {
    let pieces: Vec<(String, String, Option<String>)> = from.extract()?;
    let piece = |(before, column, missing)| Piece { before, column, missing };
    Ok(pieces.into_iter().map(piece).collect())
}

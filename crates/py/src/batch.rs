//! Rows on their way to Python: they speak the Arrow `PyCapsule` protocol and are never copied.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StructArray, new_null_array};
use arrow_schema::{ArrowError, Field, FieldRef, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyTuple};
use pyo3_arrow::ffi::{
    ArrayIterator, to_array_pycapsules, to_schema_pycapsule, to_stream_pycapsule,
};
use tidegate_core::{Error, tables};

use crate::columns;
use crate::error::raised;

/// Rows of one table.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct Batch {
    #[pyo3(get)]
    table: &'static str,
    pub(crate) rows: RecordBatch,
}

impl From<tables::Batch> for Batch {
    fn from(batch: tables::Batch) -> Self {
        Self { table: batch.table, rows: batch.rows }
    }
}

#[pymethods]
impl Batch {
    #[getter]
    fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("Batch({}, {} rows)", self.table, self.rows.num_rows())
    }

    /// The named columns as lists of Python values.
    fn columns<'py>(
        &self,
        py: Python<'py>,
        names: Vec<String>,
    ) -> PyResult<Vec<Bound<'py, PyList>>> {
        names.iter().map(|name| columns::values(py, self.rows.column(self.place(name)?))).collect()
    }

    /// The same rows with other values in these columns.
    fn with_columns(&self, changed: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut arrays = self.rows.columns().to_vec();
        for (name, values) in changed {
            let place = self.place(&name.extract::<String>()?)?;
            if let Some(array) = arrays.get_mut(place) {
                *array = columns::array(self.rows.schema_ref().field(place), &values)?;
            }
        }
        self.of(RecordBatch::try_new(self.rows.schema(), arrays))
    }

    /// The same rows, these columns only, in this order.
    fn select(&self, names: Vec<String>) -> PyResult<Self> {
        let places: PyResult<Vec<_>> = names.iter().map(|name| self.place(name)).collect();
        self.of(self.rows.project(&places?))
    }

    /// The rows for which the mask is true.
    fn keep(&self, mask: Vec<bool>) -> PyResult<Self> {
        if mask.len() != self.rows.num_rows() {
            return Err(raised(Error::Usage("a mask says yes or no for each row".to_owned())));
        }
        self.of(filter_record_batch(&self.rows, &BooleanArray::from(mask)))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        export_schema(py, self.rows.schema_ref())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let array = StructArray::from(self.rows.clone());
        let field = row_field(self.rows.schema_ref());
        Ok(to_array_pycapsules(py, field, &array, requested_schema)?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let rows = [Ok(self.rows.clone())];
        export_stream(py, self.rows.schema_ref(), rows, requested_schema)
    }
}

impl Batch {
    fn place(&self, name: &str) -> PyResult<usize> {
        let missing = || Error::Usage(format!("table {} has no column \"{name}\"", self.table));
        self.rows.schema_ref().index_of(name).map_err(|_| raised(missing()))
    }

    /// A batch of the same table.
    fn of(&self, rows: Result<RecordBatch, ArrowError>) -> PyResult<Self> {
        Ok(Self { table: self.table, rows: rows.map_err(|error| raised(error.into()))? })
    }
}

/// A re-readable run of batches with one schema.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct Rows {
    #[pyo3(get)]
    table: &'static str,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

#[pymethods]
impl Rows {
    #[new]
    fn new(batches: Vec<PyRef<'_, Batch>>) -> PyResult<Self> {
        let usage = |text: &str| raised(Error::Usage(text.to_owned()));
        let first = batches.first().ok_or_else(|| usage("no batches: use empty(table)"))?;
        let (table, schema) = (first.table, first.rows.schema());
        if batches.iter().any(|batch| batch.table != table || *batch.rows.schema_ref() != schema) {
            return Err(usage("batches of different tables"));
        }
        let batches = batches.iter().map(|batch| batch.rows.clone()).collect();
        Ok(Self { table, schema, batches })
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        format!("Rows({}, {} rows)", self.table, self.num_rows())
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        export_schema(py, &self.schema)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let rows: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        export_stream(py, &self.schema, rows, requested_schema)
    }
}

/// No rows, with the table's schema.
#[pyfunction]
pub(crate) fn empty(table: &str) -> PyResult<Rows> {
    let info = crate::info::table(table).map_err(raised)?;
    Ok(Rows { table: info.name, schema: info.schema, batches: Vec::new() })
}

/// Rows of a table, made in Python: a list of values for each column, missing where none is given.
#[pyfunction]
pub(crate) fn make(table: &str, columns: &Bound<'_, PyDict>) -> PyResult<Batch> {
    let info = crate::info::table(table).map_err(raised)?;
    let rows = columns.values().iter().next().map_or(Ok(0), |values| values.len())?;
    let empty = info.schema.fields().iter().map(|field| new_null_array(field.data_type(), rows));
    // Not yet checked: columns that may not be missing are about to be given.
    let loose: Vec<_> =
        info.schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
    let loose = RecordBatch::try_new(Arc::new(Schema::new(loose)), empty.collect());
    let blank = Batch { table: info.name, rows: loose.map_err(|error| raised(error.into()))? };
    let filled = blank.with_columns(columns)?;
    blank.of(RecordBatch::try_new(info.schema, filled.rows.columns().to_vec()))
}

pub(crate) fn export_schema<'py>(
    py: Python<'py>,
    schema: &Schema,
) -> PyResult<Bound<'py, PyCapsule>> {
    Ok(to_schema_pycapsule(py, schema)?)
}

/// Hands out a stream; whoever reads it may do so on any thread, without the GIL.
pub(crate) fn export_stream<'py, I>(
    py: Python<'py>,
    schema: &Schema,
    rows: I,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyCapsule>>
where
    I: IntoIterator<Item = Result<RecordBatch, ArrowError>>,
    I::IntoIter: Send + 'static,
{
    let arrays = rows.into_iter().map(|rows| Ok(Arc::new(StructArray::from(rows?)) as ArrayRef));
    let reader = Box::new(ArrayIterator::new(arrays, row_field(schema)));
    Ok(to_stream_pycapsule(py, reader, requested_schema)?)
}

/// The stream's element type: a row as a struct.
fn row_field(schema: &Schema) -> FieldRef {
    let field = Field::new_struct("", schema.fields().clone(), false);
    Arc::new(field.with_metadata(schema.metadata().clone()))
}

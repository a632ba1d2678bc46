//! Columns between Arrow and Python's own values, for stages that decide about rows in Python.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, ListBuilder, MapBuilder, StringBuilder,
    TimestampNanosecondBuilder, UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::{DataType, Field, TimeUnit};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use tidegate_core::tables::said;

/// A column's values: numbers, text, lists, dictionaries; nanoseconds for times, None where missing.
pub(crate) fn values<'py>(py: Python<'py>, column: &dyn Array) -> PyResult<Bound<'py, PyList>> {
    match column.data_type() {
        DataType::Utf8 => PyList::new(py, column.as_string::<i32>().iter()),
        DataType::Boolean => PyList::new(py, column.as_boolean().iter()),
        DataType::UInt8 => numbers::<UInt8Type>(py, column),
        DataType::UInt16 => numbers::<UInt16Type>(py, column),
        DataType::UInt32 => numbers::<UInt32Type>(py, column),
        DataType::UInt64 => numbers::<UInt64Type>(py, column),
        DataType::Float64 => numbers::<Float64Type>(py, column),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            numbers::<TimestampNanosecondType>(py, column)
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let list = |at| (!lists.is_null(at)).then(|| values(py, &lists.value(at)));
            let all: PyResult<Vec<_>> = (0..lists.len()).map(|at| list(at).transpose()).collect();
            PyList::new(py, all?)
        }
        DataType::Map(..) => maps(py, column),
        other => Err(PyTypeError::new_err(format!("columns of {other} have no values in Python"))),
    }
}

fn numbers<'py, T>(py: Python<'py>, column: &dyn Array) -> PyResult<Bound<'py, PyList>>
where
    T: ArrowPrimitiveType,
    T::Native: IntoPyObject<'py>,
{
    let column: &PrimitiveArray<T> = column.as_primitive();
    PyList::new(py, column.iter())
}

fn maps<'py>(py: Python<'py>, column: &dyn Array) -> PyResult<Bound<'py, PyList>> {
    let column = column.as_map();
    let all = PyList::empty(py);
    for at in 0..column.len() {
        if column.is_null(at) {
            all.append(py.None())?;
            continue;
        }
        let entries = column.value(at);
        let map = PyDict::new(py);
        let (keys, counts) = (values(py, entries.column(0))?, values(py, entries.column(1))?);
        for (key, count) in keys.iter().zip(counts.iter()) {
            map.set_item(key, count)?;
        }
        all.append(map)?;
    }
    Ok(all)
}

/// A column of that field's type; text may also be bytes as a stranger sent them, escaped as
/// the core's own text columns are.
pub(crate) fn array(field: &Field, values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    gathered(field.data_type(), values).map_err(|error| {
        let name = field.name();
        PyTypeError::new_err(format!("column {name}, {}: {error}", field.data_type()))
    })
}

fn gathered(kind: &DataType, values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    /// Appends every value, or a missing one.
    macro_rules! gather {
        ($builder:expr, $kind:ty) => {{
            let mut builder = $builder;
            for value in values.try_iter()? {
                builder.append_option(value?.extract::<Option<$kind>>()?);
            }
            Ok(Arc::new(builder.finish()) as ArrayRef)
        }};
    }
    match kind {
        DataType::Utf8 => {
            let mut builder = StringBuilder::new();
            for value in values.try_iter()? {
                builder.append_option(text(&value?)?);
            }
            Ok(Arc::new(builder.finish()))
        }
        DataType::Boolean => gather!(BooleanBuilder::new(), bool),
        DataType::UInt8 => gather!(UInt8Builder::new(), u8),
        DataType::UInt16 => gather!(UInt16Builder::new(), u16),
        DataType::UInt32 => gather!(UInt32Builder::new(), u32),
        DataType::UInt64 => gather!(UInt64Builder::new(), u64),
        DataType::Float64 => gather!(Float64Builder::new(), f64),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            gather!(TimestampNanosecondBuilder::new(), i64)
        }
        DataType::List(item) => lists(item, values),
        DataType::Map(..) => counts(values),
        other => Err(PyTypeError::new_err(format!("columns of {other} are not made in Python"))),
    }
}

/// Text as it is; bytes as a text column keeps what a stranger sent.
fn text(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(Cow::into_owned(said(bytes.as_bytes()))));
    }
    value.extract().map(Some)
}

fn lists(item: &Field, values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if item.data_type() == &DataType::Utf8 {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for value in values.try_iter()? {
            builder.append_option(value?.extract::<Option<Vec<Option<String>>>>()?);
        }
        return Ok(Arc::new(builder.finish()));
    }
    let mut builder = ListBuilder::new(UInt32Builder::new());
    for value in values.try_iter()? {
        builder.append_option(value?.extract::<Option<Vec<Option<u32>>>>()?);
    }
    Ok(Arc::new(builder.finish()))
}

fn counts(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), UInt64Builder::new());
    for value in values.try_iter()? {
        let map = value?.extract::<Option<BTreeMap<String, u64>>>()?;
        for (name, count) in map.iter().flatten() {
            builder.keys().append_value(name);
            builder.values().append_value(*count);
        }
        // Keys and values come in pairs, which is all `append` checks.
        let _ = builder.append(map.is_some());
    }
    Ok(Arc::new(builder.finish()))
}

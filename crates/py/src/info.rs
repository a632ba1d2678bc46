//! What there is: tables with their columns, interfaces, and whether a filter compiles.

use pyo3::prelude::*;
use tidegate_core::Error;
use tidegate_core::capture;
use tidegate_core::tables as core_tables;

use crate::error::{away, raised};

/// A network interface of this machine.
#[pyclass(frozen, get_all, module = "tidegate._core")]
pub(crate) struct InterfaceInfo {
    name: String,
    index: u32,
    up: bool,
    running: bool,
    loopback: bool,
    link: String,
    addresses: Vec<String>,
}

impl From<capture::interfaces::InterfaceInfo> for InterfaceInfo {
    fn from(info: capture::interfaces::InterfaceInfo) -> Self {
        Self {
            name: info.name,
            index: info.index,
            up: info.up,
            running: info.running,
            loopback: info.loopback,
            link: info.link,
            addresses: info.addresses.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A column of a table.
#[pyclass(frozen, get_all, module = "tidegate._core")]
#[derive(Clone)]
pub(crate) struct ColumnInfo {
    name: String,
    r#type: String,
    nullable: bool,
    doc: String,
}

/// A table with its columns.
#[pyclass(frozen, get_all, module = "tidegate._core")]
pub(crate) struct TableInfo {
    name: &'static str,
    doc: &'static str,
    columns: Vec<ColumnInfo>,
}

impl From<core_tables::TableInfo> for TableInfo {
    fn from(info: core_tables::TableInfo) -> Self {
        let column = |field: &arrow_schema::FieldRef| ColumnInfo {
            name: field.name().clone(),
            r#type: core_tables::sql_name(field.data_type()),
            nullable: field.is_nullable(),
            doc: field.metadata().get(core_tables::DOC).cloned().unwrap_or_default(),
        };
        let columns = info.schema.fields().iter().map(column).collect();
        Self { name: info.name, doc: info.doc.trim(), columns }
    }
}

/// The table of that name.
pub(crate) fn table(name: &str) -> Result<core_tables::TableInfo, Error> {
    let all = core_tables::all();
    let names: Vec<_> = all.iter().map(|info| info.name).collect();
    let unknown = || format!("no table \"{name}\": there are {}", names.join(", "));
    let found = all.iter().find(|info| info.name == name).cloned();
    found.ok_or_else(|| Error::Usage(unknown()))
}

#[pyfunction]
pub(crate) fn interfaces(py: Python<'_>) -> PyResult<Vec<InterfaceInfo>> {
    let all = away(py, capture::interfaces::interfaces)?;
    Ok(all.into_iter().map(InterfaceInfo::from).collect())
}

#[pyfunction]
pub(crate) fn tables() -> Vec<TableInfo> {
    core_tables::all().into_iter().map(TableInfo::from).collect()
}

#[pyfunction]
pub(crate) fn check_filter(expression: &str) -> PyResult<()> {
    capture::filter::check_filter(expression).map_err(raised)
}

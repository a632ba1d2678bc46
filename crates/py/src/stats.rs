//! Counters of a reader or watcher.

use std::collections::BTreeMap;

use pyo3::prelude::*;

/// Counters since the start.
#[pyclass(frozen, get_all, module = "tidegate._core")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) first_ts: Option<i64>,
    pub(crate) last_ts: Option<i64>,
    pub(crate) flows: u64,
    pub(crate) connections: u64,
    pub(crate) dropped_kernel: u64,
    pub(crate) dropped_queue: u64,
    pub(crate) dropped_table: u64,
    pub(crate) duplicates: u64,
    pub(crate) malformed: BTreeMap<String, u64>,
    pub(crate) warnings: Vec<String>,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_total: Option<u64>,
}

#[pymethods]
impl Stats {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

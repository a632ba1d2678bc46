//! Counters of a reader or watcher.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use tidegate_core::capture::{Interface, InterfaceState, SourceStats};
use tidegate_core::engine::EngineStats;
use tidegate_core::health::Traffic;

/// Counters of one interface (of a file, what it says of its interfaces) since the start.
#[pyclass(frozen, get_all, module = "tidegate._core")]
#[derive(Clone, Debug, Default)]
pub(crate) struct InterfaceStats {
    pub(crate) name: String,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) dropped: u64,
    pub(crate) duplicates: u64,
    pub(crate) up: bool,
    pub(crate) watched: bool,
}

#[pymethods]
impl InterfaceStats {
    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}

/// By number, what source and engine count together.
pub(crate) fn by_interface(source: &SourceStats, engine: &EngineStats) -> Vec<InterfaceStats> {
    let of = |counts: &[u64], number: usize| counts.get(number).copied().unwrap_or(0);
    let together = |(number, (interface, traffic)): (usize, &(Interface, Traffic))| {
        let state = source.states.get(number);
        InterfaceStats {
            name: interface.name.clone(),
            packets: traffic.packets,
            bytes: traffic.bytes,
            dropped: of(&source.kernel_dropped, number),
            duplicates: of(&source.duplicates, number),
            up: state == Some(&InterfaceState::Up),
            watched: matches!(state, Some(InterfaceState::Up | InterfaceState::Down)),
        }
    };
    engine.by_interface.iter().enumerate().map(together).collect()
}

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
    pub(crate) by_interface: Vec<InterfaceStats>,
    pub(crate) malformed: BTreeMap<String, u64>,
    pub(crate) not_ip: BTreeMap<String, u64>,
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

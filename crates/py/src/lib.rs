//! `tidegate._core`: the core as Python sees it.
#![allow(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod batch;
mod columns;
mod config;
mod error;
mod files;
mod info;
mod inputs;
mod lines;
mod live;
mod pipeline;
mod process;
mod queue;
mod reader;
mod recording;
mod relay;
mod stats;
mod steering;
mod text;
mod watcher;

use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;

/// The core as Python sees it; documented in `_core.pyi`.
#[pymodule(name = "_core")]
mod core {
    #[pymodule_export]
    use super::batch::{Batch, Rows, empty, make};
    #[pymodule_export]
    use super::config::EngineConfig;
    #[pymodule_export]
    use super::error::{CaptureError, CoreError, UsageError};
    #[pymodule_export]
    use super::files::{ParquetWriter, SegmentReader, SegmentWriter};
    #[pymodule_export]
    use super::info::{ColumnInfo, InterfaceInfo, TableInfo, check_filter, interfaces, tables};
    #[pymodule_export]
    use super::lines::LineWriter;
    #[pymodule_export]
    use super::process::ProcessWatch;
    #[pymodule_export]
    use super::reader::Reader;
    #[pymodule_export]
    use super::relay::Relay;
    #[pymodule_export]
    use super::relay::rules::{relay_check, relay_judge};
    #[pymodule_export]
    use super::stats::{InterfaceStats, Stats};
    #[pymodule_export]
    use super::steering::SkLookup;
    #[pymodule_export]
    use super::text::{TextPieces, TextWriter};
    #[pymodule_export]
    use super::watcher::Watcher;
    use super::{Bound, PyModule, PyModuleMethods, PyResult, warn_of_debug_build};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        warn_of_debug_build(module.py())
    }
}

/// A debug build is many times slower, which nobody should find out from their packets.
fn warn_of_debug_build(py: Python<'_>) -> PyResult<()> {
    if cfg!(debug_assertions) {
        let text = c"tidegate._core is a debug build and slow: build it with --release";
        PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), text, 1)?;
    }
    Ok(())
}

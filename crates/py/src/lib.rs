//! `tidegate._core`: the core as Python sees it.

use pyo3::prelude::*;

/// The data plane.
#[pymodule]
fn _core(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}

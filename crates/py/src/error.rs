//! Errors at the border: the core's, in the three kinds that callers tell apart.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use tidegate_core::Error;

create_exception!(tidegate._core, CoreError, PyException);
create_exception!(tidegate._core, CaptureError, CoreError);
create_exception!(tidegate._core, UsageError, CoreError);

/// The core's error as Python's.
pub(crate) fn raised(error: Error) -> PyErr {
    let text = one_line(&error.to_string());
    match error {
        Error::Usage(_) | Error::Filter { .. } => UsageError::new_err(text),
        Error::File { .. } | Error::NotACapture { .. } | Error::Interface { .. } => {
            CaptureError::new_err(text)
        }
        Error::Arrow(_) | Error::Io(_) => CoreError::new_err(text),
    }
}

/// Runs work of the core without the GIL. A panic is a defect of ours: it becomes an error
/// that says so, since Python's own handling of it would pass every `except Exception`.
pub(crate) fn away<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(result) => result.map_err(raised),
        Err(_) => Err(CoreError::new_err(DEFECT)),
    }
}

/// What a panic is told as; its own words and place went to standard error.
pub(crate) const DEFECT: &str = "a defect in the core, please report it with the lines above";

/// Errors are shown in one line, whatever a file name or a compiler put into them.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

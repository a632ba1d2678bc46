//! Wide ports: a handle that steers until it is closed.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tidegate_core::steering::{self, PortRange, Wanted};

use crate::error::CoreError;

/// Steers new connections to one listening socket.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct SkLookup {
    steered: Mutex<Option<steering::SkLookup>>,
}

#[pymethods]
impl SkLookup {
    #[new]
    fn new(
        ip: &str,
        ports: Vec<PortRange>,
        listener: i32,
        spared: Vec<(String, u16)>,
    ) -> PyResult<Self> {
        let spared = spared.iter().map(|(ip, port)| Ok(SocketAddr::new(address(ip)?, *port)));
        let spared = spared.collect::<PyResult<_>>()?;
        let wanted = Wanted { ip: address(ip)?, ports, spared };
        let steered = steering::SkLookup::attach(&wanted, listener)
            .map_err(|refused| CoreError::new_err(refused.0))?;
        Ok(Self { steered: Mutex::new(Some(steered)) })
    }

    fn close(&self) {
        drop(self.steered.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn address<T: std::str::FromStr>(text: &str) -> PyResult<T> {
    text.parse().map_err(|_| PyValueError::new_err(format!("not an address: {text}")))
}

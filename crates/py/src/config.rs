//! The engine's settings as Python gives them: seconds and bytes, checked once.

use std::collections::HashMap;

use pyo3::prelude::*;
use tidegate_core::config::Timeouts;
use tidegate_core::packet::Nanos;
use tidegate_core::protocols::Settings;
use tidegate_core::{Config, Error};

use crate::error::raised;

/// Settings of the engine.
#[pyclass(frozen, module = "tidegate._core")]
#[derive(Clone)]
pub(crate) struct EngineConfig {
    pub(crate) config: Config,
}

#[pymethods]
impl EngineConfig {
    #[new]
    #[pyo3(signature = (
        *, sensor="", max_flows=None, max_stream_buffer=None, max_buffer_total=None,
        max_fragment_bytes=None, verify_checksums=false, interim=None, opened=false, health=None,
        excerpt=0, keep_credentials=false, redact_query=false, timeouts=None,
    ))]
    #[allow(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "keyword arguments, each on its own"
    )]
    fn new(
        sensor: &str,
        max_flows: Option<u32>,
        max_stream_buffer: Option<usize>,
        max_buffer_total: Option<usize>,
        max_fragment_bytes: Option<usize>,
        verify_checksums: bool,
        interim: Option<f64>,
        opened: bool,
        health: Option<f64>,
        excerpt: usize,
        keep_credentials: bool,
        redact_query: bool,
        timeouts: Option<HashMap<String, f64>>,
    ) -> PyResult<Self> {
        let span = |name, seconds: Option<f64>| {
            seconds.map(|seconds| nanos(name, seconds)).transpose().map_err(raised)
        };
        let default = Config::default();
        let config = Config {
            sensor: sensor.to_owned(),
            max_flows: max_flows.unwrap_or(default.max_flows),
            max_stream_buffer: max_stream_buffer.unwrap_or(default.max_stream_buffer),
            max_buffer_total: max_buffer_total.unwrap_or(default.max_buffer_total),
            max_fragment_bytes: max_fragment_bytes.unwrap_or(default.max_fragment_bytes),
            verify_checksums,
            interim: span("interim", interim)?,
            opened,
            health: span("health", health)?,
            excerpt,
            protocols: Settings { keep_credentials, redact_query, ..default.protocols },
            timeouts: with_timeouts(timeouts.unwrap_or_default()).map_err(raised)?,
            tables: default.tables,
        };
        if config.max_flows == 0 {
            return Err(raised(Error::Usage("max_flows must be at least 1".to_owned())));
        }
        Ok(Self { config })
    }
}

fn with_timeouts(given: HashMap<String, f64>) -> Result<Timeouts, Error> {
    let mut timeouts = Timeouts::default();
    for (name, seconds) in given {
        let field = match name.as_str() {
            "tcp" => &mut timeouts.tcp,
            "tcp_attempt" => &mut timeouts.tcp_attempt,
            "tcp_close" => &mut timeouts.tcp_close,
            "tcp_reset" => &mut timeouts.tcp_reset,
            "udp" => &mut timeouts.udp,
            "icmp" => &mut timeouts.icmp,
            "other" => &mut timeouts.other,
            "fragment" => &mut timeouts.fragment,
            _ => return Err(Error::Usage(format!("no timeout \"{name}\""))),
        };
        *field = nanos(&name, seconds)?;
    }
    Ok(timeouts)
}

/// Seconds as nanoseconds; more than a hundred years is a mistake, as is nothing at all.
fn nanos(name: &str, seconds: f64) -> Result<Nanos, Error> {
    if seconds > 0.0 && seconds <= 3.2e9 {
        return Ok((seconds * 1e9) as Nanos);
    }
    Err(Error::Usage(format!("{name}: {seconds} is no span in seconds (above 0, to 3.2e9)")))
}

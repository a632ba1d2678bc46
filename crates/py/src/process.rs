//! Programs and their sockets: a handle on the watch's thread, and records as plain tuples.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tidegate_core::process::{Program, Record, Socket, Watch};

use crate::error::away;

/// How long Python's signals may wait.
const SLICE: Duration = Duration::from_millis(100);

/// Programs and their sockets, watched until stopped.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct ProcessWatch {
    watch: Watch,
}

#[pymethods]
impl ProcessWatch {
    #[new]
    #[pyo3(signature = (methods=None))]
    fn new(py: Python<'_>, methods: Option<Vec<String>>) -> PyResult<Self> {
        away(py, move || Ok(Self { watch: Watch::open(methods.as_deref())? }))
    }

    fn poll<'py>(&self, py: Python<'py>, timeout: f64) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        let deadline = Instant::now() + Duration::from_secs_f64(timeout.clamp(0.0, 1e6));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let records = away(py, || Ok(self.watch.poll(left.min(SLICE))))?;
            match records {
                None => return Ok(None),
                Some(records) if records.is_empty() && Instant::now() < deadline => {
                    py.check_signals()?;
                }
                Some(records) => return tuples(py, records).map(Some),
            }
        }
    }

    #[pyo3(signature = (proto, local_ip, local_port, remote_ip=None, remote_port=0))]
    fn lookup<'py>(
        &self,
        py: Python<'py>,
        proto: &str,
        local_ip: &str,
        local_port: u16,
        remote_ip: Option<&str>,
        remote_port: u16,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let local = (ip(local_ip)?, local_port);
        let remote = remote_ip.map(ip).transpose()?.map(|address| (address, remote_port));
        tuples(py, away(py, || Ok(self.watch.lookup(proto, local, remote)))?)
    }

    #[getter]
    fn method(&self) -> &'static str {
        self.watch.method().name()
    }

    #[getter]
    fn refused(&self) -> Vec<(&'static str, String)> {
        self.watch.refused()
    }

    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.watch.stats();
        let told = PyDict::new(py);
        for (name, value) in [
            ("events", stats.events),
            ("lost", stats.lost),
            ("dropped", stats.dropped),
            ("foreign", stats.foreign),
            ("unsure", stats.unsure),
            ("evicted", stats.evicted),
            ("programs", stats.programs),
            ("lookups", stats.lookups),
            ("scans", stats.scans),
        ] {
            told.set_item(name, value)?;
        }
        Ok(told)
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.watch.stop());
    }
}

fn ip(text: &str) -> PyResult<IpAddr> {
    text.parse().map_err(|_| PyValueError::new_err(format!("not an address: {text}")))
}

fn tuples(py: Python<'_>, records: Vec<Record>) -> PyResult<Vec<Bound<'_, PyAny>>> {
    records.into_iter().map(|record| tuple(py, record)).collect()
}

/// A record as a flat tuple; `_core.pyi` names the places.
fn tuple(py: Python<'_>, record: Record) -> PyResult<Bound<'_, PyAny>> {
    match record {
        Record::Program(one) => program(py, &one),
        Record::Socket(one) => socket(py, &one),
        Record::Gone { program, ts } => {
            ("gone", ts, program).into_pyobject(py).map(Bound::into_any)
        }
        Record::Lost { ts, events } => ("lost", ts, events).into_pyobject(py).map(Bound::into_any),
    }
}

fn program<'py>(py: Python<'py>, one: &Program) -> PyResult<Bound<'py, PyAny>> {
    let place = (one.pid, one.started, one.parent_pid, one.parent.as_deref(), one.uid);
    let (pid, started, parent_pid, parent, uid) = place;
    let named = (&*one.name, one.path.as_deref(), one.cmdline.as_deref(), one.cgroup.as_deref());
    let (name, path, cmdline, cgroup) = named;
    let flat =
        ("program", one.id, pid, started, parent_pid, parent, uid, name, path, cmdline, cgroup);
    Ok(flat.into_pyobject(py)?.into_any())
}

fn socket<'py>(py: Python<'py>, one: &Socket) -> PyResult<Bound<'py, PyAny>> {
    let (local, remote) = (one.ends.local_text(), one.ends.remote_text());
    let (action, method) = (one.action.name(), one.method.name());
    let ports = (one.ends.local_port, one.ends.remote_port);
    let flat = (
        "socket",
        one.ts,
        action,
        method,
        one.ends.protocol(),
        local,
        ports.0,
        remote,
        ports.1,
        one.program,
        one.uid,
    );
    Ok(flat.into_pyobject(py)?.into_any())
}

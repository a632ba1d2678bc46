//! The relay: a handle on its threads.

mod plan;
pub(crate) mod rules;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tidegate_core::relay::{self, Live, Outlet, ServiceStats};
use tidegate_core::{Error, tables};

use crate::batch::Batch;
use crate::error::{away, raised};
use crate::queue::Queue;

/// How long Python's signals may wait.
const SLICE: Duration = Duration::from_millis(100);

/// A relay, running until stopped.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct Relay {
    queue: Arc<Rows>,
    relay: relay::Relay,
}

/// The relay's rows on their way to Python.
#[derive(Default)]
struct Rows(Queue);

impl Outlet for Rows {
    fn offer(&self, batch: tables::Batch) -> u64 {
        self.0.offer(batch)
    }

    fn close(&self, error: Option<Error>) {
        self.0.close(error);
    }
}

#[pymethods]
impl Relay {
    #[new]
    fn new(py: Python<'_>, plan: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (plan, sockets) = plan::plan(plan)?;
        let queue = Arc::new(Rows::default());
        let outlet: Arc<dyn Outlet> = Arc::clone(&queue) as Arc<dyn Outlet>;
        let relay = away(py, move || relay::Relay::start(&plan, sockets, outlet))?;
        Ok(Self { queue, relay })
    }

    fn poll(&self, py: Python<'_>, timeout: f64) -> PyResult<Option<Vec<Batch>>> {
        let deadline = Instant::now() + Duration::from_secs_f64(timeout.clamp(0.0, 1e6));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = away(py, || Ok(self.queue.0.wait(left.min(SLICE))))?;
            if ready || Instant::now() >= deadline {
                break;
            }
            py.check_signals()?;
        }
        let batches = away(py, || self.queue.0.take());
        if !matches!(batches, Ok(Some(_))) {
            away(py, || {
                self.relay.join();
                Ok(())
            })?;
        }
        Ok(batches?.map(|batches| batches.into_iter().map(Batch::from).collect()))
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = away(py, || Ok(self.relay.stats()))?;
        let told = PyDict::new(py);
        let services = PyDict::new(py);
        for service in &stats.services {
            services.set_item(&*service.name, service_stats(py, service)?)?;
        }
        told.set_item("services", services)?;
        told.set_item("connections", stats.connections)?;
        told.set_item("most", stats.most)?;
        told.set_item("memory", stats.memory)?;
        told.set_item("dropped", stats.dropped)?;
        told.set_item("files", stats.files)?;
        let waiting = PyDict::new(py);
        for (at, why) in &stats.waiting {
            waiting.set_item(at.to_string(), why)?;
        }
        told.set_item("waiting", waiting)?;
        Ok(told)
    }

    fn dropped(&self) -> u64 {
        self.relay.dropped()
    }

    fn connections<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Bound<'py, PyList>> {
        let lives = away(py, || Ok(self.relay.connections(limit)))?;
        let told = PyList::empty(py);
        for live in &lives {
            told.append(connection(py, live)?)?;
        }
        Ok(told)
    }

    fn reload(&self, py: Python<'_>, plan: &Bound<'_, PyAny>) -> PyResult<()> {
        let (plan, sockets) = plan::plan(plan)?;
        away(py, move || self.relay.reload(&plan, sockets))
    }

    fn reject(&self, ip: &str) -> PyResult<bool> {
        Ok(self.relay.reject(plan::address(ip)?))
    }

    fn release(&self, ip: &str) -> PyResult<bool> {
        Ok(self.relay.release(plan::address(ip)?))
    }

    fn rejected(&self) -> Vec<String> {
        self.relay.rejected().iter().map(ToString::to_string).collect()
    }

    fn kill(&self, id: u64) {
        self.relay.kill(id);
    }

    #[pyo3(signature = (seconds=None))]
    fn drain(&self, seconds: Option<f64>) -> PyResult<()> {
        let span = seconds.map(|seconds| plan::nanos("seconds", seconds)).transpose()?;
        self.relay.drain(span);
        Ok(())
    }

    fn stop(&self) {
        self.relay.stop();
    }

    fn adopt(&self, service: &str, fd: i32) -> PyResult<u64> {
        let socket = relay::duplicate(fd).map_err(raised)?;
        self.relay.adopt(service, socket).map_err(raised)
    }
}

fn service_stats<'py>(py: Python<'py>, service: &ServiceStats) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("connections", service.connections)?;
    told.set_item("total", service.total)?;
    let refused = PyDict::new(py);
    for (cause, count) in &service.refused {
        refused.set_item(cause, count)?;
    }
    told.set_item("refused", refused)?;
    told.set_item("up", service.up)?;
    told.set_item("down", service.down)?;
    told.set_item("today", service.today)?;
    let addresses = PyDict::new(py);
    for (ip, connections) in &service.addresses {
        addresses.set_item(ip.to_string(), connections)?;
    }
    told.set_item("addresses", addresses)?;
    told.set_item("last", service.last)?;
    Ok(told)
}

fn connection<'py>(py: Python<'py>, live: &Live) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("id", live.id)?;
    told.set_item("uid", &live.uid)?;
    told.set_item("service", &*live.service)?;
    told.set_item("client_ip", live.client.ip().to_string())?;
    told.set_item("client_port", live.client.port())?;
    told.set_item("server_ip", live.server.ip().to_string())?;
    told.set_item("server_port", live.server.port())?;
    told.set_item("backend", live.backend.as_deref())?;
    told.set_item("remote", live.remote.as_deref())?;
    told.set_item("rule", live.rule.as_deref())?;
    told.set_item("protocol", live.protocol)?;
    told.set_item("phase", live.phase)?;
    told.set_item("up", live.up)?;
    told.set_item("down", live.down)?;
    told.set_item("since", live.since)?;
    told.set_item("idle", live.idle as f64 / 1e9)?;
    Ok(told)
}

//! Live interfaces: a handle on the capture's thread.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tidegate_core::Config;
use tidegate_core::capture::live::{LiveConfig, LiveSource, Opener, Waker};
use tidegate_core::capture::record::RecordConfig;

use crate::batch::Batch;
use crate::config::EngineConfig;
use crate::error::away;
use crate::live::{self, Shared};
use crate::pipeline::{Pipeline, wanted};
use crate::recording::Recording;
use crate::stats::Stats;

/// How long Python's signals may wait.
const SLICE: Duration = Duration::from_millis(100);

/// Live interfaces, captured until stopped.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    names: Vec<String>,
    waker: Waker,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[pymethods]
impl Watcher {
    #[new]
    #[pyo3(signature = (
        interfaces, *, filter=None, tables=None, config=None, snaplen=262_144, promiscuous=false,
        ring_bytes=33_554_432, count=None, record=None, record_bytes=None, record_seconds=None,
        record_total=None, helper_fd=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments, each on its own")]
    fn new(
        py: Python<'_>,
        interfaces: Vec<String>,
        filter: Option<String>,
        tables: Option<Vec<String>>,
        config: Option<&EngineConfig>,
        snaplen: u32,
        promiscuous: bool,
        ring_bytes: usize,
        count: Option<u64>,
        record: Option<PathBuf>,
        record_bytes: Option<u64>,
        record_seconds: Option<f64>,
        record_total: Option<u64>,
        helper_fd: Option<i32>,
    ) -> PyResult<Self> {
        let opener = opener(helper_fd)?;
        let options = LiveConfig {
            interfaces,
            filter,
            snaplen,
            promiscuous,
            ring_bytes,
            dedup: true,
            opener,
        };
        let record = record.map(|path| RecordConfig {
            path,
            max_bytes: record_bytes,
            max_seconds: record_seconds,
            max_total: record_total,
            snaplen,
        });
        let mut config = config.map_or_else(Config::default, |given| given.config.clone());
        away(py, move || {
            let tables = wanted(tables.as_deref(), &mut config)?;
            let input = LiveSource::open(&options)?;
            let (waker, names) = (input.waker(), input.interfaces());
            let record = record.map(Recording::create).transpose()?;
            let pipeline = Pipeline::new(Box::new(input), config, tables).limited(count, record);
            let shared = Arc::new(Shared::default());
            let thread = live::start(pipeline, Arc::clone(&shared))?;
            Ok(Self { shared, names, waker, thread: Mutex::new(Some(thread)) })
        })
    }

    fn poll(&self, py: Python<'_>, timeout: f64) -> PyResult<Option<Vec<Batch>>> {
        let deadline = Instant::now() + Duration::from_secs_f64(timeout.clamp(0.0, 1e6));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = away(py, || Ok(self.shared.queue.wait(left.min(SLICE))))?;
            if ready || Instant::now() >= deadline {
                break;
            }
            py.check_signals()?;
        }
        let batches = away(py, || self.shared.queue.take());
        if !matches!(batches, Ok(Some(_))) {
            py.detach(|| self.join());
        }
        Ok(batches?.map(|batches| batches.into_iter().map(Batch::from).collect()))
    }

    fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    fn interfaces(&self) -> Vec<String> {
        let told = self.shared.told();
        if told.by_interface.is_empty() {
            return self.names.clone();
        }
        told.by_interface.into_iter().map(|interface| interface.name).collect()
    }

    fn stats(&self) -> Stats {
        self.shared.told()
    }
}

/// Who opens packet sockets: we, or a helper at the other end of this descriptor.
#[cfg(target_os = "linux")]
fn opener(helper: Option<i32>) -> PyResult<Opener> {
    Ok(helper.map(Opener::helper).transpose()?.unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn opener(_helper: Option<i32>) -> PyResult<Opener> {
    Ok(Opener::Own)
}

impl Watcher {
    /// Waits for the thread, which has closed the queue or is about to see the stop.
    fn join(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // Its panics are caught and told through the queue.
            let _ = thread.join();
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop();
        self.shared.queue.close(None);
        self.join();
    }
}

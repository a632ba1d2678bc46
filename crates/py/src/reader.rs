//! Capture files, read as fast as rows are asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tidegate_core::tables::{Batch as CoreBatch, parquet::ParquetFile};
use tidegate_core::{Config, Error};

use crate::batch::Batch;
use crate::config::EngineConfig;
use crate::error::away;
use crate::pipeline::{Pipeline, Step, wanted};
use crate::stats::Stats;
use crate::{info, inputs};

/// Rows gathered before they are handed over.
const ENOUGH_ROWS: usize = 8_192;
/// Steps (of up to 64 packets) between two looks at the clock and at the rows.
const STEPS: usize = 64;
/// How long Python's signals may wait.
const SLICE: Duration = Duration::from_millis(100);

/// Capture files, one after the other, as one capture.
#[pyclass(frozen, module = "tidegate._core")]
pub(crate) struct Reader {
    state: Mutex<State>,
}

struct State {
    pipeline: Pipeline,
    ready: Vec<CoreBatch>,
    rows: usize,
    ended: bool,
    /// Told after the rows that were made before it.
    error: Option<Error>,
    files: Option<HashMap<&'static str, ParquetFile>>,
    written: BTreeMap<String, u64>,
}

#[pymethods]
impl Reader {
    #[new]
    #[pyo3(signature = (paths, *, filter=None, tables=None, config=None))]
    fn new(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        filter: Option<String>,
        tables: Option<Vec<String>>,
        config: Option<&EngineConfig>,
    ) -> PyResult<Self> {
        let mut config = config.map_or_else(Config::default, |given| given.config.clone());
        let pipeline = away(py, move || {
            let tables = wanted(tables.as_deref(), &mut config)?;
            let input = inputs::open_files(&paths, filter.as_deref())?;
            Ok(Pipeline::new(input, config, tables))
        })?;
        Ok(Self { state: Mutex::new(State::new(pipeline)) })
    }

    fn poll(&self, py: Python<'_>, timeout: f64) -> PyResult<Option<Vec<Batch>>> {
        self.work(py, timeout)?;
        let batches = away(py, || self.state().take())?;
        Ok(batches.map(|batches| batches.into_iter().map(Batch::from).collect()))
    }

    fn write_parquet(
        &self,
        py: Python<'_>,
        paths: BTreeMap<String, PathBuf>,
        timeout: f64,
    ) -> PyResult<Option<BTreeMap<String, u64>>> {
        away(py, || self.state().create(&paths))?;
        let deadline = deadline(timeout);
        loop {
            self.work(py, remaining(deadline).as_secs_f64())?;
            let more = away(py, || self.state().write())?;
            if !more || Instant::now() >= deadline {
                return away(py, || self.state().report());
            }
        }
    }

    fn stats(&self, py: Python<'_>) -> PyResult<Stats> {
        away(py, || Ok(self.state().pipeline.stats()))
    }
}

impl Reader {
    /// A panic has been told already; what it left behind is whole as far as it goes.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until there are rows enough, `timeout` seconds are over, or all is read; lets
    /// Python see its signals in between.
    fn work(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        let deadline = deadline(timeout);
        loop {
            let slice = deadline.min(Instant::now() + SLICE);
            let done = away(py, || Ok(self.state().run(slice)))?;
            if done || Instant::now() >= deadline {
                return Ok(());
            }
            py.check_signals()?;
        }
    }
}

fn deadline(timeout: f64) -> Instant {
    Instant::now() + Duration::from_secs_f64(timeout.clamp(0.0, 1e6))
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

impl State {
    fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            ready: Vec::new(),
            rows: 0,
            ended: false,
            error: None,
            files: None,
            written: BTreeMap::new(),
        }
    }

    /// Whether there is something to take: rows enough, or the end.
    fn run(&mut self, until: Instant) -> bool {
        while !self.ended && self.rows < ENOUGH_ROWS {
            for _ in 0..STEPS {
                match self.pipeline.step(Duration::ZERO) {
                    Ok(Step::Worked) => {}
                    Ok(Step::Idle) => break,
                    Ok(Step::End) if self.pipeline.finish_some() => {}
                    Ok(Step::End) => return self.end(),
                    Err(error) => self.failed(error),
                }
            }
            self.gather(false);
            if Instant::now() >= until {
                break;
            }
        }
        self.ended || self.rows >= ENOUGH_ROWS
    }

    fn gather(&mut self, all: bool) {
        let batches = self.pipeline.drain(all);
        self.rows += batches.iter().map(|batch| batch.rows.num_rows()).sum::<usize>();
        self.ready.extend(batches);
    }

    /// The source goes on with the next file; the first error is told at the end.
    fn failed(&mut self, error: Error) {
        if self.error.is_some() {
            self.pipeline.warn(error.to_string());
        } else {
            self.error = Some(error);
        }
    }

    fn end(&mut self) -> bool {
        self.gather(true);
        self.ended = true;
        true
    }

    /// Rows, then the error if there was one, then nothing.
    fn take(&mut self) -> Result<Option<Vec<CoreBatch>>, Error> {
        self.rows = 0;
        let ready = std::mem::take(&mut self.ready);
        if !ready.is_empty() || !self.ended {
            return Ok(Some(ready));
        }
        self.error.take().map_or(Ok(None), Err)
    }

    fn create(&mut self, paths: &BTreeMap<String, PathBuf>) -> Result<(), Error> {
        if self.files.is_some() {
            return Ok(());
        }
        let mut files = HashMap::new();
        for (name, path) in paths {
            let info = info::table(name)?;
            if !self.pipeline.tables().contains(&info.name) {
                let text = format!("table \"{name}\" is not being read: name it in tables");
                return Err(Error::Usage(text));
            }
            files.insert(info.name, ParquetFile::create(path, info.schema)?);
            self.written.insert(name.clone(), 0);
        }
        self.files = Some(files);
        Ok(())
    }

    /// Writes the rows that are ready; whether more will come.
    fn write(&mut self) -> Result<bool, Error> {
        let Some(files) = &mut self.files else {
            return Ok(false);
        };
        self.rows = 0;
        for batch in std::mem::take(&mut self.ready) {
            if let Some(file) = files.get_mut(batch.table) {
                file.write(&batch.rows)?;
                self.written.insert(batch.table.to_owned(), file.rows());
            }
        }
        if self.ended {
            files.drain().try_for_each(|(_, file)| file.close().map(drop))?;
        }
        Ok(!self.ended)
    }

    /// The counts, one last time when the files are closed; then the error or nothing.
    fn report(&mut self) -> Result<Option<BTreeMap<String, u64>>, Error> {
        if self.ended && self.written.is_empty() {
            return self.error.take().map_or(Ok(None), Err);
        }
        let written = self.written.clone();
        if self.ended {
            self.written.clear();
        }
        Ok(Some(written))
    }
}

//! Source and engine joined, the same for files and for live interfaces.

use std::time::Duration;

use tidegate_core::capture::Polled;
use tidegate_core::packet::Nanos;
use tidegate_core::tables::Batch;
use tidegate_core::{Config, Engine, Error};

use crate::info;
use crate::inputs::Input;
use crate::recording::Recording;
use crate::stats::{Stats, by_interface};

/// What one step of a pipeline met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Packets, or news of an interface.
    Worked,
    /// Nothing within the timeout.
    Idle,
    /// Nothing ever again; call [`Pipeline::finish_some`].
    End,
}

/// Pulls packets from a source through the engine.
pub(crate) struct Pipeline {
    input: Box<dyn Input>,
    engine: Engine,
    recording: Option<Recording>,
    /// The tables asked for; of others the rows are dropped at once.
    tables: Vec<&'static str>,
    /// Packets still wanted, if there is a limit.
    left: Option<u64>,
    warnings: Vec<String>,
    /// The source has ended.
    ending: bool,
    finished: bool,
}

/// The tables to deliver: those named, or all but `packet`.
pub(crate) fn wanted(
    names: Option<&[String]>,
    config: &mut Config,
) -> Result<Vec<&'static str>, Error> {
    let Some(names) = names else {
        return Ok(config.tables.clone());
    };
    let found = names.iter().map(|name| info::table(name).map(|info| info.name));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    config.tables.clone_from(&found);
    Ok(found)
}

impl Pipeline {
    pub(crate) fn new(input: Box<dyn Input>, config: Config, tables: Vec<&'static str>) -> Self {
        Self {
            input,
            engine: Engine::new(config),
            recording: None,
            tables,
            left: None,
            warnings: Vec::new(),
            ending: false,
            finished: false,
        }
    }

    /// Ends after `count` packets, and writes every one to `recording`.
    pub(crate) fn limited(mut self, count: Option<u64>, recording: Option<Recording>) -> Self {
        self.left = count;
        self.recording = recording;
        self
    }

    /// Takes what the source has next. After an error files go on with the next one.
    pub(crate) fn step(&mut self, timeout: Duration) -> Result<Step, Error> {
        if self.ending || self.left == Some(0) {
            return Ok(Step::End);
        }
        match self.input.poll(timeout)? {
            Polled::Interface(interface) => {
                if let Some(recording) = &mut self.recording {
                    recording.interface(&interface);
                }
                self.engine.interface(interface);
            }
            Polled::Packets(mut batch) => {
                if let Some(left) = &mut self.left {
                    batch.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= batch.len() as u64;
                }
                if let Some(recording) = &mut self.recording {
                    recording.packets(&batch);
                }
                self.engine.packets(&batch);
            }
            Polled::Idle => return Ok(Step::Idle),
            Polled::End => self.ending = true,
        }
        Ok(Step::Worked)
    }

    /// Call at every tick of a live capture: tells the engine that time has passed, and
    /// writes out what is recorded.
    pub(crate) fn tick(&mut self, now: Nanos) {
        self.engine.advance(now);
        let source = self.input.stats();
        self.engine.source(now, &source);
        if let Some(recording) = &mut self.recording {
            recording.flush();
        }
    }

    /// Makes open connections rows, some at a time, and ends the recording; whether there is
    /// more to do.
    pub(crate) fn finish_some(&mut self) -> bool {
        if self.finished {
            return false;
        }
        let stats = self.input.stats();
        if self.engine.finish_some(&stats) {
            return true;
        }
        self.finished = true;
        if let Some(recording) = &mut self.recording {
            let last = self.engine.stats().span.map_or(0, |(_, last)| last);
            recording.close(last, &stats.kernel_dropped);
        }
        false
    }

    /// The rows made so far.
    pub(crate) fn drain(&mut self, all: bool) -> Vec<Batch> {
        let mut batches = self.engine.drain(all);
        batches.retain(|batch| batch.rows.num_rows() > 0 && self.tables.contains(&batch.table));
        batches
    }

    /// Counts rows that nobody took in time.
    pub(crate) fn dropped(&mut self, rows: u64) {
        self.engine.lost(rows);
    }

    /// Adds to what the user should know.
    pub(crate) fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }

    pub(crate) fn tables(&self) -> &[&'static str] {
        &self.tables
    }

    /// Counters of source, engine and recording together.
    pub(crate) fn stats(&mut self) -> Stats {
        let source = self.input.stats();
        let (bytes_read, bytes_total) = self.input.progress();
        let engine = self.engine.stats();
        let by_interface = by_interface(&source, &engine);
        let mut warnings = self.warnings.clone();
        warnings.extend(source.warnings);
        warnings.extend(self.recording.as_ref().and_then(Recording::warning));
        Stats {
            packets: engine.packets,
            bytes: engine.bytes,
            first_ts: engine.span.map(|(first, _)| first),
            last_ts: engine.span.map(|(_, last)| last),
            flows: engine.flows.into(),
            connections: engine.connections,
            dropped_kernel: source.kernel_dropped.iter().sum(),
            dropped_queue: engine.dropped_queue,
            dropped_table: engine.dropped_table,
            duplicates: source.duplicates.iter().sum(),
            by_interface,
            malformed: engine.malformed.into_iter().collect(),
            not_ip: engine.not_ip.into_iter().collect(),
            warnings,
            bytes_read,
            bytes_total,
        }
    }
}

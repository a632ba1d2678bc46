//! The capture's thread: it alone touches rings, engine and recording, and never waits for
//! Python while packets can be lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidegate_core::Error;
use tidegate_core::capture::live::LINGER;
use tidegate_core::packet::Nanos;

use crate::error::DEFECT;
use crate::pipeline::{Pipeline, Step};
use crate::queue::Queue;
use crate::stats::Stats;

/// How often rows are handed over, time is told and counters are published.
const TICK: Duration = Duration::from_millis(250);
/// How long the source may wait for packets; a stop wakes it.
const WAIT: Duration = Duration::from_millis(100);
/// How long packets are read that were captured before a stop, at most: reading is faster
/// than any network, so this is met only when the machine is overwhelmed.
const DRAIN: Duration = Duration::from_secs(2);
/// Packets lie in a ring for a while: the engine's clock runs this much behind the wall's.
const LAG: Nanos = 250_000_000;

/// What the thread shares with Python.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) stop: AtomicBool,
    told: Mutex<Stats>,
}

impl Shared {
    /// Counters as of the last tick.
    pub(crate) fn told(&self) -> Stats {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, pipeline: &mut Pipeline) {
        let told = pipeline.stats();
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

/// Starts the thread.
pub(crate) fn start(mut pipeline: Pipeline, shared: Arc<Shared>) -> Result<JoinHandle<()>, Error> {
    let body = move || {
        let work = catch_unwind(AssertUnwindSafe(|| run(&mut pipeline, &shared)));
        let ended = work.unwrap_or_else(|_| Err(Error::Io(std::io::Error::other(DEFECT))));
        shared.queue.close(ended.err());
    };
    Ok(Builder::new().name("tidegate-capture".to_owned()).spawn(body)?)
}

fn run(pipeline: &mut Pipeline, shared: &Shared) -> Result<(), Error> {
    let ended = capture(pipeline, shared);
    let mut more = true;
    while more {
        more = pipeline.finish_some();
        for batch in pipeline.drain(!more) {
            shared.queue.push(batch);
        }
    }
    shared.publish(pipeline);
    ended
}

/// Captures until stopped; the rows left behind are the caller's to hand over.
fn capture(pipeline: &mut Pipeline, shared: &Shared) -> Result<(), Error> {
    let mut next = Instant::now();
    let mut stopped = None;
    loop {
        if stopped.is_none() && shared.stop.load(Ordering::Relaxed) {
            stopped = Some(Instant::now());
        }
        let step = pipeline.step(patience(stopped))?;
        if step == Step::End || stopped.is_some_and(|at| is_dry(at, step)) {
            return Ok(());
        }
        let tick = Instant::now() >= next;
        if tick {
            next = Instant::now() + TICK;
            pipeline.tick(now() - LAG);
            shared.publish(pipeline);
        }
        for batch in pipeline.drain(tick) {
            let dropped = shared.queue.offer(batch);
            pipeline.dropped(dropped);
        }
    }
}

/// How long the source may wait: after a stop, no longer than the kernel holds packets back.
fn patience(stopped: Option<Instant>) -> Duration {
    stopped.map_or(WAIT, |at| LINGER.saturating_sub(at.elapsed()))
}

/// Whether all is read that was captured before the stop.
fn is_dry(stopped: Instant, step: Step) -> bool {
    let over = stopped.elapsed();
    over >= LINGER && step == Step::Idle || over >= DRAIN
}

fn now() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Nanos)
}

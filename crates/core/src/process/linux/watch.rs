//! The watch: a thread that hears events and tells records, and questions asked beside it.

use std::net::IpAddr;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::ladder::{Hearing, choose};
use super::netlink::diag::nobody;
use super::procfs::{self, Procfs};
use super::queue::Queue;
use super::table::Sockets;
use crate::capture::live::{Waker, Wakeup};
use crate::error::Error;
use crate::process::ends::{Ends, TCP, UDP};
use crate::process::event::Event;
use crate::process::record::{Method, Record, Stats};
use crate::process::trace::Trace;

/// How long the thread waits when nothing happens.
const WAIT: Duration = Duration::from_millis(500);
/// How long after an event another CPU may still write an earlier one.
const SETTLE: Duration = Duration::from_millis(1);
/// What two readings of clocks may differ by without any of them having been set.
const JITTER: u64 = 1_000_000;

/// Programs and sockets of this machine, watched from now on.
pub struct Watch {
    shared: Arc<Shared>,
    method: Method,
    refused: Vec<(&'static str, String)>,
    waker: Waker,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Queue,
    stop: AtomicBool,
    trace: Mutex<Trace<Procfs>>,
    /// On its own: a scan takes long, and the thread must not wait for it.
    sockets: Mutex<Sockets>,
}

/// Ends the queue with the thread, however that ends.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}

impl Watch {
    /// Opens the best method (of the named ones, if any are named) and takes up what is there.
    /// The network namespace that counts is that of the calling thread.
    pub fn open(methods: Option<&[String]>) -> Result<Self, Error> {
        let chosen = choose(methods)?;
        let net = procfs::own_net().unwrap_or(0);
        let sockets = Sockets::open(chosen.method != Method::Scan);
        let trace = Trace::new(chosen.method, net, procfs::offset(), Procfs::new());
        let (trace, sockets) = (Mutex::new(trace), Mutex::new(sockets));
        let (queue, stop) = (Queue::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { queue, stop, trace, sockets });
        let (waker, wakeup) = Wakeup::new()?;
        shared.take_up();
        let (there, hearing) = (Arc::clone(&shared), chosen.hearing);
        let body = move || {
            let ending = Ending(there);
            procfs::hurry();
            ending.0.listen(hearing, wakeup);
        };
        let thread = Builder::new().name("tidegate-process".to_owned()).spawn(body)?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { shared, method: chosen.method, refused: chosen.refused, waker, thread })
    }

    /// The method in use.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Better methods that do not work here, and what the system said.
    pub fn refused(&self) -> Vec<(&'static str, String)> {
        self.refused.clone()
    }

    /// Records told since the last call, waiting at most `timeout` for the first; `None` after [`Watch::stop`].
    pub fn poll(&self, timeout: Duration) -> Option<Vec<Record>> {
        self.shared.queue.take(timeout)
    }

    /// Who holds the socket with these ends now, or listens for them; `proto` is tcp or udp.
    pub fn lookup(
        &self,
        proto: &str,
        (local, local_port): (IpAddr, u16),
        remote: Option<(IpAddr, u16)>,
    ) -> Vec<Record> {
        let proto = if proto == "udp" { UDP } else { TCP };
        let (remote, remote_port) = remote.unwrap_or((nobody(local), 0));
        let ends = Ends { proto, local, local_port, remote, remote_port, both: false };
        let found = locked(&self.shared.sockets).lookup(&ends);
        locked(&self.shared.trace).asked(found)
    }

    /// Counters so far.
    pub fn stats(&self) -> Stats {
        let (lookups, scans) = {
            let sockets = locked(&self.shared.sockets);
            (sockets.lookups, sockets.scans)
        };
        let dropped = self.shared.queue.dropped();
        let trace = locked(&self.shared.trace);
        Stats { dropped, programs: trace.programs.len() as u64, lookups, scans, ..trace.stats }
    }

    /// Ends it: what was told before can still be taken.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.waker.wake();
        let thread = locked(&self.thread).take();
        if let Some(thread) = thread {
            // A panic of the thread was printed, and the queue closed with it.
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// All programs and sockets that were there before.
    fn take_up(&self) {
        let mut records = Vec::new();
        let mut trace = locked(&self.trace);
        for pid in procfs::pids() {
            trace.learn(pid);
        }
        for found in locked(&self.sockets).all() {
            trace.found(found, &mut records);
        }
        self.queue.offer(&mut records);
    }

    fn listen(&self, mut hearing: Hearing, mut wakeup: Wakeup) {
        let fds: Vec<Option<RawFd>> = hearing.fds().into_iter().map(Some).collect();
        let mut events: Vec<Event> = Vec::new();
        let mut suspended = procfs::suspended();
        let mut records = Vec::new();
        loop {
            let patience = if events.is_empty() { WAIT } else { SETTLE };
            let waited = wakeup.wait(&fds, patience);
            wakeup.take();
            let stopped = self.stop.load(Ordering::Relaxed);
            // Whatever happened before this moment is in the rings by the time they are read.
            let now = if stopped { u64::MAX } else { procfs::since_boot() };
            let suspended_now = procfs::suspended();
            if suspended_now.abs_diff(suspended) > JITTER {
                suspended = suspended_now;
            }
            hearing.drain(&mut events, suspended);
            events.sort_by_key(|event| event.at);
            let ready = events.partition_point(|event| event.at <= now);
            let mut trace = locked(&self.trace);
            trace.set_offset(procfs::offset());
            for event in events.drain(..ready) {
                trace.event(event, &mut records);
            }
            drop(trace);
            self.queue.offer(&mut records);
            if stopped || waited.is_err() {
                return;
            }
        }
    }
}

/// The data behind a lock; another thread's panic leaves it as it was.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

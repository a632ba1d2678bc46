//! What the threads of a relay share: counters, the memory budget, letters to each other.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use mio::Waker;

use super::handle::{Live, Outlet};
use super::limits::{Gate, Pass};
use super::plan::Plan;
use super::running::{Counters, Running, Service};
use crate::packet::Nanos;
use crate::tables::Batch;

/// Notices that wait to become rows.
const MOST_NOTICES: usize = 1024;

/// Refused connections that are held (silent, tarpit), all together.
const MOST_HELD: usize = 4096;

/// What every thread knows.
pub(super) struct Shared {
    outlet: Arc<dyn Outlet>,
    pub(super) gate: Gate,
    pub(super) memory: Memory,
    /// Connections now, refused ones that are held included.
    pub(super) connections: AtomicUsize,
    /// Most connections at once.
    most: AtomicUsize,
    /// Files that may be open, and how many are kept free.
    pub(super) files: usize,
    held: AtomicUsize,
    /// Numbers of connections.
    pub(super) ids: AtomicU64,
    pub(super) counters: Mutex<BTreeMap<Arc<str>, Arc<Counters>>>,
    pub(super) running: Mutex<Arc<Running>>,
    /// Rows that did not fit into the outlet.
    pub(super) dropped: AtomicU64,
    /// Whether somebody waits in a backlog for a connection to end.
    blocked: AtomicBool,
    /// Ports that are taken, and what the system said.
    pub(super) waiting: Mutex<BTreeMap<SocketAddr, String>>,
    notices: Mutex<Vec<Notice>>,
    posts: Vec<Post>,
    alive: AtomicUsize,
    /// Whether the first thread may still hand out connections.
    pub(super) accepting: AtomicBool,
}

/// A line for people.
pub(super) struct Notice {
    pub(super) service: Option<Arc<str>>,
    pub(super) text: String,
}

/// How a thread is told something.
pub(super) struct Post {
    pub(super) waker: Waker,
    pub(super) letters: Mutex<Vec<Letter>>,
    /// Connections it has now.
    pub(super) load: AtomicUsize,
}

/// A connection on its way to the thread that will carry it.
pub(super) struct Arrival {
    pub(super) id: u64,
    pub(super) socket: OwnedFd,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) service: Arc<Service>,
    pub(super) seat: Seat,
    pub(super) pass: Option<Pass>,
    /// A PROXY header comes first.
    pub(super) header: bool,
    /// It was refused, and is held: why.
    pub(super) held: Option<&'static str>,
    /// When it was accepted, by the relay's clock.
    pub(super) at: Nanos,
    /// The same, UTC.
    pub(super) wall: Nanos,
}

/// What a thread is told.
pub(super) enum Letter {
    /// A new plan, and sockets for its doors; an answer when they are open.
    Running(Arc<Running>, Vec<(SocketAddr, OwnedFd)>, mpsc::Sender<()>),
    Arrival(Box<Arrival>),
    /// There may be room again.
    Room,
    Reject(IpAddr),
    Kill(u64),
    Drain(Nanos),
    Stop,
    List(usize, mpsc::Sender<Vec<Live>>),
}

/// Bytes that may wait for slow receivers.
pub(super) struct Memory {
    limit: AtomicUsize,
    used: AtomicUsize,
}

impl Memory {
    /// Reserves at most `wanted` bytes; how many.
    pub(super) fn reserve(&self, wanted: usize) -> usize {
        self.take(wanted, self.limit.load(Ordering::Relaxed))
    }

    /// As `reserve`, but leaves a sixteenth to those who are still to say where they go.
    pub(super) fn reserve_for_waiting(&self, wanted: usize) -> usize {
        let limit = self.limit.load(Ordering::Relaxed);
        self.take(wanted, limit - limit / 16)
    }

    fn take(&self, wanted: usize, limit: usize) -> usize {
        let before = self.used.fetch_add(wanted, Ordering::Relaxed);
        let granted = limit.saturating_sub(before).min(wanted);
        self.give_back(wanted - granted);
        granted
    }

    pub(super) fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Shared {
    pub(super) fn new(
        outlet: Arc<dyn Outlet>,
        running: Running,
        counters: BTreeMap<Arc<str>, Arc<Counters>>,
        wakers: Vec<Waker>,
        files: usize,
    ) -> Self {
        let post = |waker| Post { waker, letters: Mutex::default(), load: AtomicUsize::new(0) };
        Self {
            outlet,
            gate: Gate::new(),
            memory: Memory { limit: AtomicUsize::new(0), used: AtomicUsize::new(0) },
            connections: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            files,
            held: AtomicUsize::new(0),
            ids: AtomicU64::new(1),
            counters: Mutex::new(counters),
            running: Mutex::new(Arc::new(running)),
            dropped: AtomicU64::new(0),
            blocked: AtomicBool::new(false),
            waiting: Mutex::default(),
            notices: Mutex::default(),
            alive: AtomicUsize::new(wakers.len()),
            accepting: AtomicBool::new(true),
            posts: wakers.into_iter().map(post).collect(),
        }
    }

    /// Takes over a plan's bounds, no more connections than open files allow.
    pub(super) fn bound(&self, plan: &Plan, open: usize) {
        self.memory.limit.store(plan.memory, Ordering::Relaxed);
        let files = self.files.saturating_sub(plan.spare_files).saturating_sub(open);
        let allowed = (files / 2).max(1);
        let most = plan.connections.map_or(allowed, |most| allowed.min(most as usize));
        self.most.store(most, Ordering::Relaxed);
    }

    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    pub(super) fn write(&self, letter: Letter, to: usize) {
        if let Some(post) = self.posts.get(to) {
            lock(&post.letters).push(letter);
            // Fails where the thread is gone.
            let _ = post.waker.wake();
        }
    }

    pub(super) fn write_many(&self, letters: Vec<Letter>, to: usize) {
        if let Some(post) = self.posts.get(to).filter(|_| !letters.is_empty()) {
            lock(&post.letters).extend(letters);
            let _ = post.waker.wake();
        }
    }

    pub(super) fn write_all(&self, letter: impl Fn() -> Letter) {
        for to in 0..self.posts.len() {
            self.write(letter(), to);
        }
    }

    pub(super) fn threads(&self) -> usize {
        self.posts.len()
    }

    /// Whether a thread has got nothing that it has not read.
    pub(super) fn is_read(&self, of: usize) -> bool {
        self.posts.get(of).is_none_or(|post| lock(&post.letters).is_empty())
    }

    pub(super) fn letters(&self, of: usize) -> Vec<Letter> {
        self.posts.get(of).map_or_else(Vec::new, |post| std::mem::take(&mut lock(&post.letters)))
    }

    /// The thread with the fewest connections, which has one more from now on.
    pub(super) fn least_loaded(&self) -> usize {
        let loads = self.posts.iter().enumerate().rev();
        let least = loads.min_by_key(|(_, post)| post.load.load(Ordering::Relaxed));
        let at = least.map_or(0, |(at, _)| at);
        self.change_load(at, true);
        at
    }

    pub(super) fn change_load(&self, of: usize, more: bool) {
        if let Some(post) = self.posts.get(of) {
            if more {
                post.load.fetch_add(1, Ordering::Relaxed);
            } else {
                post.load.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Hands a batch on; what does not fit is counted.
    pub(super) fn offer(&self, batch: Batch) {
        let dropped = self.outlet.offer(batch);
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
    }

    /// A thread ends; the last one closes the outlet.
    pub(super) fn leave(&self, error: Option<crate::Error>) {
        let last = self.alive.fetch_sub(1, Ordering::AcqRel) == 1;
        if error.is_some() {
            self.write_all(|| Letter::Stop);
        }
        if last || error.is_some() {
            self.outlet.close(error);
        }
    }

    pub(super) fn notice(&self, service: Option<&Arc<str>>, text: String) {
        let mut notices = lock(&self.notices);
        if notices.len() < MOST_NOTICES {
            notices.push(Notice { service: service.cloned(), text });
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut *lock(&self.notices))
    }

    /// Lets a client in by the service's lists and limits, or says why not; either is counted.
    pub(super) fn admit(
        &self,
        service: &Service,
        client: IpAddr,
        port: u16,
        wall: Nanos,
    ) -> Result<Pass, &'static str> {
        let (limits, name) = (&service.plan.limits, &service.plan.name);
        let pass = match service.denies(client) {
            Some(cause) => Err(cause),
            None => self.gate.admit(limits, name, client, port, wall).map_err(|no| no.cause),
        };
        match &pass {
            Ok(_) => service.counters.accepted(wall),
            Err(cause) => service.counters.refused(cause),
        }
        pass
    }

    /// A seat for a connection of this service, if there is one. If not, the acceptor is told when there may be one.
    pub(super) fn seat(self: &Arc<Self>, service: &Arc<Service>) -> Option<Seat> {
        let seat = self.try_seat(service);
        if seat.is_some() {
            return seat;
        }
        self.blocked.store(true, Ordering::SeqCst);
        // One may have become free before we said that we wait.
        self.try_seat(service)
    }

    fn try_seat(self: &Arc<Self>, service: &Arc<Service>) -> Option<Seat> {
        if !take_one(&self.connections, self.most()) {
            return None;
        }
        let counters = &service.counters;
        if !take_one(&counters.now, service.most_waiting().unwrap_or(usize::MAX)) {
            self.connections.fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        Some(Seat { shared: Arc::clone(self), counters: Some(Arc::clone(counters)), held: false })
    }

    fn freed(&self) {
        if self.blocked.load(Ordering::SeqCst) && self.blocked.swap(false, Ordering::SeqCst) {
            self.write(Letter::Room, 0);
        }
    }
}

/// Adds one, if there are fewer than `most`.
fn take_one(count: &AtomicUsize, most: usize) -> bool {
    count
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| (now < most).then(|| now + 1))
        .is_ok()
}

/// A connection's place among all; given back when dropped.
pub(super) struct Seat {
    shared: Arc<Shared>,
    counters: Option<Arc<Counters>>,
    held: bool,
}

impl Seat {
    /// It was refused and is held: it takes no place of its service; whether there is room for it.
    pub(super) fn hold(&mut self) -> bool {
        if let Some(counters) = self.counters.take() {
            counters.now.fetch_sub(1, Ordering::SeqCst);
        }
        self.held = self.held || take_one(&self.shared.held, MOST_HELD);
        self.held
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.held {
            self.shared.held.fetch_sub(1, Ordering::SeqCst);
        }
        if let Some(counters) = &self.counters {
            counters.now.fetch_sub(1, Ordering::SeqCst);
        }
        self.shared.connections.fetch_sub(1, Ordering::SeqCst);
        self.shared.freed();
    }
}

/// Takes a lock, whoever has died holding it: what they guard is whole after every step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

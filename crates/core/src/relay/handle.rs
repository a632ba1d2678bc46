//! The relay as its owner sees it: started, told, asked, stopped.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::net::{files, heap, kernel, socket};
use super::plan::Plan;
use super::reactor::{Clock, Worker};
use super::running::Running;
use super::shared::{Arrival, Letter, Shared, lock};
use crate::Error;
use crate::error::words;
use crate::packet::Nanos;
use crate::tables::Batch;

/// How long a thread may take to answer a question.
const ANSWER: Duration = Duration::from_secs(2);

/// Most threads of a relay.
const MOST_THREADS: usize = 256;

/// Another descriptor of a socket that the caller has by number, and keeps.
pub fn duplicate(number: i32) -> Result<OwnedFd, Error> {
    let say = |error| Error::Usage(format!("file descriptor {number}: {}", words(&error)));
    kernel::duplicate(number).map_err(say)
}

/// Where the relay's rows go.
pub trait Outlet: Send + Sync {
    /// Takes a batch if there is room, without waiting; otherwise drops it and says how many rows it had.
    fn offer(&self, batch: Batch) -> u64;
    /// No more will come, maybe because of an error.
    fn close(&self, error: Option<Error>);
}

/// A connection as it stands.
#[derive(Clone, Debug)]
pub struct Live {
    /// Its number.
    pub id: u64,
    /// Joins the tables.
    pub uid: String,
    /// Who opened it.
    pub client: SocketAddr,
    /// Where it wanted to go.
    pub server: SocketAddr,
    /// The service that took it.
    pub service: Arc<str>,
    /// The backend it was given to.
    pub backend: Option<Arc<str>>,
    /// The backend's address.
    pub remote: Option<String>,
    /// The rule that chose it.
    pub rule: Option<Arc<str>>,
    /// What it speaks.
    pub protocol: Option<&'static str>,
    /// header, looking, connecting, relaying, held.
    pub phase: &'static str,
    /// Bytes from the client.
    pub up: u64,
    /// Bytes to the client.
    pub down: u64,
    /// When it was accepted, UTC.
    pub since: Nanos,
    /// How long nothing has passed.
    pub idle: Nanos,
}

/// What a service has seen.
#[derive(Clone, Debug)]
pub struct ServiceStats {
    /// Its name.
    pub name: Arc<str>,
    /// Connections now.
    pub connections: usize,
    /// Connections let in since the start.
    pub total: u64,
    /// Those not let in, by cause.
    pub refused: BTreeMap<&'static str, u64>,
    /// Bytes from clients.
    pub up: u64,
    /// Bytes to clients.
    pub down: u64,
    /// Bytes of today (UTC), both directions, where they are limited.
    pub today: u64,
    /// Addresses that have connections, with how many.
    pub addresses: Vec<(IpAddr, u32)>,
    /// When a connection last began, UTC.
    pub last: Option<Nanos>,
}

/// What the relay has seen.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Each service there was since the start.
    pub services: Vec<ServiceStats>,
    /// Connections now, refused ones that are held included.
    pub connections: usize,
    /// How many there may be.
    pub most: usize,
    /// Bytes that wait for slow receivers.
    pub memory: usize,
    /// Rows that were dropped because their reader was late.
    pub dropped: u64,
    /// Files that may be open.
    pub files: usize,
    /// Ports that are taken, with what the system said.
    pub waiting: Vec<(SocketAddr, String)>,
}

/// A running relay. Dropped, it stops at once.
pub struct Relay {
    shared: Arc<Shared>,
    clock: Clock,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Relay {
    /// Starts the threads. `sockets` are listening ones: of a steered door for its first port, which stays closed
    /// without; other doors are opened here where none is given.
    pub fn start(
        plan: &Plan,
        sockets: Vec<(SocketAddr, OwnedFd)>,
        outlet: Arc<dyn Outlet>,
    ) -> Result<Self, Error> {
        let mut counters = BTreeMap::new();
        let running = Running::new(plan, &mut counters)?;
        heap::settle();
        let limit = files::raise();
        let threads = plan.threads.clamp(1, MOST_THREADS);
        let polls = (0..threads).map(|_| Worker::poll()).collect::<Result<Vec<_>, _>>()?;
        let (polls, wakers) = polls.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        let shared = Arc::new(Shared::new(outlet, running, counters, wakers, limit));
        let clock = Clock::start();
        for service in plan.services.iter().filter(|service| service.today > 0) {
            shared.gate.set_today(&service.name, service.today, clock.now().wall);
        }
        let mut handles = Vec::new();
        for (at, poll) in polls.into_iter().enumerate() {
            let worker = Worker::new(at, poll, Arc::clone(&shared), clock);
            handles.push(spawn(worker, Arc::clone(&shared))?);
        }
        let relay = Self { shared, clock, threads: Mutex::new(handles) };
        relay.run(plan, sockets);
        let allowed = relay.shared.most();
        relay.shared.notice(
            None,
            format!("{limit} files may be open: at most {allowed} connections at once"),
        );
        Ok(relay)
    }

    /// Exchanges the plan; no connection is lost. The number of threads stays as it is.
    pub fn reload(&self, plan: &Plan, sockets: Vec<(SocketAddr, OwnedFd)>) -> Result<(), Error> {
        let running = Running::new(plan, &mut lock(&self.shared.counters))?;
        *lock(&self.shared.running) = Arc::new(running);
        for service in &plan.services {
            self.shared.gate.set(&service.limits, &service.name);
        }
        self.run(plan, sockets);
        Ok(())
    }

    /// Lets nobody of this address in any more, and ends its connections; false if it was rejected already, or too many are.
    pub fn reject(&self, ip: IpAddr) -> bool {
        let rejected = self.shared.gate.reject(ip);
        self.shared.write_all(|| Letter::Reject(ip));
        rejected
    }

    /// Takes that back; false if it was not rejected.
    pub fn release(&self, ip: IpAddr) -> bool {
        self.shared.gate.release(ip)
    }

    /// Rejected addresses.
    pub fn rejected(&self) -> Vec<IpAddr> {
        self.shared.gate.rejected()
    }

    /// Ends a connection, if it is there.
    pub fn kill(&self, id: u64) {
        self.shared.write_all(|| Letter::Kill(id));
    }

    /// Accepts nothing more, gives connections this long to end by themselves, then stops.
    pub fn drain(&self, span: Option<Nanos>) {
        let span = span.unwrap_or_else(|| lock(&self.shared.running).drain);
        self.shared.write_all(|| Letter::Drain(span));
    }

    /// Stops at once.
    pub fn stop(&self) {
        self.shared.write_all(|| Letter::Stop);
    }

    /// Waits for the threads.
    pub fn join(&self) {
        for handle in std::mem::take(&mut *lock(&self.threads)) {
            // Panics are caught and told through the outlet.
            let _ = handle.join();
        }
    }

    /// Gives a connection that the caller has accepted to a service; its number.
    pub fn adopt(&self, service: &str, socket: OwnedFd) -> Result<u64, Error> {
        let running = Arc::clone(&lock(&self.shared.running));
        let found = running.services.iter().find(|known| &*known.plan.name == service);
        let unknown = || Error::Usage(format!("no service \"{service}\""));
        let service = Arc::clone(found.ok_or_else(unknown)?);
        socket::adopt(&socket, service.plan.keepalive).map_err(std::io::Error::from)?;
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let client = socket::peer(&socket).unwrap_or(nowhere);
        let server = socket::local(&socket).unwrap_or(nowhere);
        let now = self.clock.now();
        let full = || Error::Usage("as many connections as there may be".to_owned());
        let seat = self.shared.seat(&service).ok_or_else(full)?;
        let refused = |cause| Error::Usage(format!("{} is not let in: {cause}", client.ip()));
        let pass = self.shared.admit(&service, client.ip(), server.port(), now.wall);
        let pass = pass.map_err(refused)?;
        let id = self.shared.ids.fetch_add(1, Ordering::Relaxed);
        let arrival = Arrival {
            id,
            socket,
            client,
            server,
            service: Arc::clone(&service),
            seat,
            pass: Some(pass),
            header: false,
            held: None,
            at: now.mono,
            wall: now.wall,
        };
        let to = self.shared.least_loaded();
        self.shared.write(Letter::Arrival(Box::new(arrival)), to);
        Ok(id)
    }

    /// Connections as they stand, at most `limit` of each thread.
    pub fn connections(&self, limit: usize) -> Vec<Live> {
        let (answer, answers) = mpsc::channel();
        self.shared.write_all(|| Letter::List(limit, answer.clone()));
        drop(answer);
        let mut all = Vec::new();
        for _ in 0..self.shared.threads() {
            match answers.recv_timeout(ANSWER) {
                Ok(some) => all.extend(some),
                Err(_) => break,
            }
        }
        all.sort_by_key(|live| live.id);
        all.truncate(limit);
        all
    }

    /// Counters since the start.
    pub fn stats(&self) -> Stats {
        let now = self.clock.now();
        let service = |(name, counters): (&Arc<str>, &Arc<super::running::Counters>)| {
            let last = counters.last.load(Ordering::Relaxed);
            ServiceStats {
                name: Arc::clone(name),
                connections: counters.now.load(Ordering::Relaxed),
                total: counters.total.load(Ordering::Relaxed),
                refused: counters.refusals(),
                up: counters.up.load(Ordering::Relaxed),
                down: counters.down.load(Ordering::Relaxed),
                today: self.shared.gate.counts(name, now.wall).today,
                addresses: self.shared.gate.addresses(name),
                last: (last != 0).then_some(last),
            }
        };
        let waiting = lock(&self.shared.waiting);
        Stats {
            services: lock(&self.shared.counters).iter().map(service).collect(),
            connections: self.shared.connections.load(Ordering::Relaxed),
            most: self.shared.most(),
            memory: self.shared.memory.used(),
            dropped: self.dropped(),
            files: self.shared.files,
            waiting: waiting.iter().map(|(at, why)| (*at, why.clone())).collect(),
        }
    }

    /// Rows that were dropped because their reader was late.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    fn run(&self, plan: &Plan, sockets: Vec<(SocketAddr, OwnedFd)>) {
        let running = Arc::clone(&lock(&self.shared.running));
        let places = running.places().count();
        // What is open besides connections; sockets of doors are about to be.
        let connections = 2 * self.shared.connections.load(Ordering::Relaxed);
        let open = files::open().saturating_sub(connections).max(places);
        self.shared.bound(plan, open);
        let (answer, answers) = mpsc::channel();
        for to in 1..self.shared.threads() {
            let letter = Letter::Running(Arc::clone(&running), Vec::new(), answer.clone());
            self.shared.write(letter, to);
        }
        self.shared.write(Letter::Running(running, sockets, answer), 0);
        // Doors are open when this returns, unless a thread is very busy.
        for _ in 0..self.shared.threads() {
            if answers.recv_timeout(ANSWER).is_err() {
                break;
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
        self.join();
    }
}

fn spawn(mut worker: Worker, shared: Arc<Shared>) -> Result<JoinHandle<()>, Error> {
    let name = format!("tidegate-relay-{}", worker.number());
    let body = move || {
        let work = catch_unwind(AssertUnwindSafe(|| worker.run()));
        let defect = |_| {
            Err(std::io::Error::other(
                "a defect in the relay, please report it with the lines above",
            ))
        };
        let ended = work.unwrap_or_else(defect);
        shared.leave(ended.err().map(Error::Io));
    };
    Ok(Builder::new().name(name).spawn(body)?)
}

//! From events in order of time to records: sockets are joined to programs, other namespaces left out.

use std::collections::HashMap;

use super::ends::Ends;
use super::event::{Event, Told, What, state};
use super::programs::{Programs, Reader, median};
use super::record::{Action, Method, Program, Record, Socket, Stats};
use crate::packet::Nanos;

/// Connections that may be in the middle of being opened.
const MAX_OPENING: usize = 65_536;
/// Sockets and datagrams that are remembered; beyond it all are forgotten, and told again.
const MAX_HELD: usize = 65_536;
/// Nanoseconds until the same program's next datagram between the same ends is told again.
const REPEAT: u64 = 5_000_000_000;

/// A connection whose port is not chosen yet.
#[derive(Clone, Copy, Debug)]
struct Opening {
    at: u64,
    program: u64,
}

/// The state of one watch.
pub(crate) struct Trace<R> {
    pub(crate) programs: Programs,
    reader: R,
    method: Method,
    /// The network namespace that counts, by inode.
    net: u64,
    /// UTC minus time since boot.
    offset: Nanos,
    /// The same when the watch began: a start time is told alike each time.
    since: Nanos,
    opening: HashMap<u64, Opening>,
    /// Listeners and sockets of UDP whose end will be told, by cookie.
    held: HashMap<u64, Ends>,
    /// Who sent what to whom lately.
    sent: HashMap<Ends, (u64, u64)>,
    pub(crate) stats: Stats,
}

impl<R: Reader> Trace<R> {
    pub(crate) fn new(method: Method, net: u64, offset: Nanos, reader: R) -> Self {
        let (programs, opening) = (Programs::default(), HashMap::new());
        Self {
            programs,
            reader,
            method,
            net,
            offset,
            since: offset,
            opening,
            held: HashMap::new(),
            sent: HashMap::new(),
            stats: Stats::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Takes up a process that was there before.
    pub(crate) fn learn(&mut self, pid: u32) {
        self.programs.learn(pid, &mut self.reader);
    }

    /// The clock may have been set.
    pub(crate) fn set_offset(&mut self, offset: Nanos) {
        self.offset = offset;
    }

    /// Takes one event; what it tells is added to `out`.
    pub(crate) fn event(&mut self, event: Event, out: &mut Vec<Record>) {
        let at = event.at;
        self.stats.events += 1;
        match event.what {
            What::Fork { parent, child } => {
                self.programs.fork(parent, child, at, &mut self.reader);
            }
            What::Exec { pid, file } => self.programs.exec(pid, &file, at, &mut self.reader),
            What::Exit { pid } => {
                if let Some(program) = self.programs.exit(pid, at) {
                    out.push(Record::Gone { program, ts: self.utc(at) });
                }
            }
            What::Namespace { pid, net, thread } => self.programs.namespace(pid, net, thread),
            What::State { socket, pid, old, new, ends } => {
                self.state(at, socket, pid, (old, new), ends, out);
            }
            What::Socket(told) => self.socket(at, told, out),
            What::Released { cookie } => {
                if let Some(ends) = self.held.remove(&cookie) {
                    out.push(Record::Socket(self.record(at, Action::Close, ends, 0)));
                }
            }
            What::Lost(events) => self.lost(at, events, out),
        }
        self.withdrawn(out);
    }

    /// Sockets that somebody asked for just now.
    pub(crate) fn asked(&mut self, sockets: Vec<Found>) -> Vec<Record> {
        if self.method >= Method::SockDiag {
            // Nobody tells of forks and execs: a pid may be another program by now.
            self.programs.doubt();
        }
        let mut records = Vec::new();
        for socket in sockets {
            // The asker may get the answer before what the queue still holds.
            self.programs.retell(socket.pid);
            self.found(socket, &mut records);
        }
        self.withdrawn(&mut records);
        records
    }

    /// A socket that was found, not told of: `at` is when.
    pub(crate) fn found(&mut self, socket: Found, out: &mut Vec<Record>) {
        let Some(program) = self.program(socket.pid, None, out) else { return };
        if socket.action == Action::Listen {
            self.hold(socket.cookie, socket.ends);
        }
        let record = self.record(socket.at, socket.action, socket.ends, program);
        out.push(Record::Socket(Socket { method: socket.method, ..record }));
    }

    /// The connection's program is known when it leaves `CLOSE`, its port when it leaves `SYN_SENT`:
    /// only the socket's own address is the same in both.
    fn state(
        &mut self,
        at: u64,
        socket: u64,
        pid: u32,
        (old, new): (u32, u32),
        ends: Ends,
        out: &mut Vec<Record>,
    ) {
        match (old, new) {
            (state::CLOSE, state::SYN_SENT) => {
                self.opening.remove(&socket);
                let net = self.programs.net(pid);
                if self.admits(net) {
                    let program = self.program(pid, None, out).unwrap_or(0);
                    self.open(socket, Opening { at, program });
                }
            }
            (state::SYN_SENT, _) => {
                if let Some(Opening { at, program }) = self.opening.remove(&socket)
                    && ends.local_port != 0
                {
                    out.push(Record::Socket(self.record(at, Action::Connect, ends, program)));
                }
            }
            (_, state::LISTEN) => {
                let (action, method) = (Action::Listen, self.method);
                let told = Told { action, pid, ends, uid: None, net: None, method, cookie: 0 };
                self.socket(at, told, out);
            }
            (state::LISTEN, state::CLOSE) => {
                out.push(Record::Socket(self.record(at, Action::Close, ends, 0)));
            }
            _ => {}
        }
    }

    fn open(&mut self, socket: u64, opening: Opening) {
        if self.opening.len() >= MAX_OPENING {
            // Whose port never came: the kernel gives up within minutes, so the older half is over.
            let middle = median(self.opening.values().map(|one| one.at));
            let before = self.opening.len();
            self.opening.retain(|_, one| one.at > middle);
            self.stats.evicted += (before - self.opening.len()) as u64;
        }
        self.opening.insert(socket, opening);
    }

    fn socket(&mut self, at: u64, told: Told, out: &mut Vec<Record>) {
        let Told { action, pid, ends, uid, .. } = told;
        // What has no port cannot be asked for by anyone.
        if ends.local_port == 0 || (action == Action::Connect && ends.remote_port == 0) {
            return;
        }
        let net = told.net.or_else(|| self.programs.net(pid));
        if !self.admits(net) {
            return;
        }
        // Where nothing sure is known of the program, at least nobody else's claim stands.
        let program = self.program(pid, uid, out).unwrap_or(0);
        if action == Action::Send && !self.is_new(at, ends, program) {
            return;
        }
        if action != Action::Connect {
            self.hold(told.cookie, ends);
        }
        let record = self.record(at, action, ends, program);
        out.push(Record::Socket(Socket { method: told.method, uid, ..record }));
    }

    /// Remembers a socket whose end will be told.
    fn hold(&mut self, cookie: u64, ends: Ends) {
        if cookie != 0 && self.method == Method::Bpf {
            if self.held.len() >= MAX_HELD {
                self.held.clear();
            }
            self.held.insert(cookie, ends);
        }
    }

    /// Whether this was not told a moment ago: some ways of hearing tell of every datagram.
    fn is_new(&mut self, at: u64, ends: Ends, program: u64) -> bool {
        if self.sent.len() >= MAX_HELD {
            self.sent.clear();
        }
        match self.sent.insert(ends, (program, at)) {
            Some((before, since)) if before == program && at.abs_diff(since) < REPEAT => {
                self.sent.insert(ends, (before, since));
                false
            }
            _ => true,
        }
    }

    /// The program of a pid, told first if it was not; counted where nothing sure is known.
    fn program(&mut self, pid: u32, uid: Option<u32>, out: &mut Vec<Record>) -> Option<u64> {
        let found = self.programs.find(pid, &mut self.reader);
        if found.is_none() {
            self.stats.unsure += 1;
            return None;
        }
        if let Some(mut program) = self.programs.untold(pid) {
            program.uid = program.uid.or(uid);
            out.push(self.told(program));
        }
        found
    }

    fn lost(&mut self, at: u64, events: u64, out: &mut Vec<Record>) {
        self.stats.lost += events;
        self.programs.doubt();
        // A socket's address may have been freed and taken by another unseen.
        self.opening.clear();
        self.held.clear();
        self.sent.clear();
        out.push(Record::Lost { ts: self.utc(at), events });
    }

    /// Whether a namespace is the one that counts; counts the others and the unknown.
    fn admits(&mut self, net: Option<u64>) -> bool {
        match net {
            Some(net) if net == self.net => return true,
            Some(_) => self.stats.foreign += 1,
            None => self.stats.unsure += 1,
        }
        false
    }

    /// Tells again, with less, what was said too much of.
    fn withdrawn(&mut self, out: &mut Vec<Record>) {
        let withdrawn = self.programs.withdrawn();
        out.extend(withdrawn.into_iter().map(|program| self.told(program)));
    }

    fn told(&self, mut program: Program) -> Record {
        program.started = program.started.map(|since| since + self.since);
        Record::Program(program)
    }

    /// By the watch's own method, the user unknown.
    fn record(&self, at: u64, action: Action, ends: Ends, program: u64) -> Socket {
        let (ts, method, ends) = (self.utc(at), self.method, ends.plain());
        Socket { ts, action, method, ends, program, uid: None }
    }

    fn utc(&self, at: u64) -> Nanos {
        at as Nanos + self.offset
    }
}

/// A socket that somebody was found to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) at: u64,
    pub(crate) action: Action,
    pub(crate) method: Method,
    pub(crate) pid: u32,
    pub(crate) ends: Ends,
    pub(crate) cookie: u64,
}

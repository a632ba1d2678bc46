//! From events in order of time to records: sockets are joined to programs, other namespaces left out.

use std::collections::HashMap;

use super::ends::{Ends, TCP};
use super::event::{Event, What, state};
use super::programs::{Programs, Reader};
use super::record::{Action, Method, Program, Record, Socket, Stats};
use crate::packet::Nanos;

/// Connections that may be in the middle of being opened.
const MAX_OPENING: usize = 65_536;

/// A connection whose port is not chosen yet.
#[derive(Clone, Copy, Debug)]
struct Opening {
    at: u64,
    program: u64,
}

/// The state of one watch.
pub(crate) struct Trace<R> {
    pub(crate) programs: Programs,
    pub(crate) reader: R,
    method: Method,
    /// The network namespace that counts, by inode.
    net: u64,
    /// UTC minus time since boot.
    offset: Nanos,
    /// The same when the watch began: a start time is told alike each time.
    since: Nanos,
    opening: HashMap<u64, Opening>,
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
            stats: Stats::default(),
        }
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
            What::Socket { action, pid, ends, uid, net } => {
                self.socket(at, action, pid, ends, uid, net, out);
            }
            What::Closed { ends, net, pid } => {
                if self.is_ours(net.or_else(|| self.programs.net(pid))) != Some(false) {
                    out.push(self.record(at, Action::Close, ends, 0, None));
                }
            }
            What::Lost(events) => self.lost(at, events, out),
        }
        let withdrawn = self.programs.withdrawn();
        out.extend(withdrawn.into_iter().map(|program| self.told(program)));
    }

    /// A socket that was found, not told of: `at` is when.
    pub(crate) fn found(&mut self, socket: Found, out: &mut Vec<Record>) {
        let Some(program) = self.program(socket.pid, None, out) else { return };
        let mut record = self.socket_record(socket.at, socket.action, socket.ends, program, None);
        record.method = socket.method;
        out.push(Record::Socket(record));
    }

    /// The connection's program is known when it leaves CLOSE, its port when it leaves SYN_SENT:
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
                if self.admits(net)
                    && let Some(program) = self.program(pid, None, out)
                {
                    self.open(socket, Opening { at, program });
                }
            }
            (state::SYN_SENT, _) => {
                if let Some(Opening { at, program }) = self.opening.remove(&socket)
                    && ends.local_port != 0
                {
                    out.push(self.record(at, Action::Connect, ends, program, None));
                }
            }
            (_, state::LISTEN) => self.socket(at, Action::Listen, pid, ends, None, None, out),
            (state::LISTEN, state::CLOSE) => out.push(self.record(at, Action::Close, ends, 0, None)),
            _ => {}
        }
    }

    fn open(&mut self, socket: u64, opening: Opening) {
        if self.opening.len() >= MAX_OPENING {
            // Whose port never came: the kernel gives up within minutes, so the older half is over.
            let mut times: Vec<u64> = self.opening.values().map(|one| one.at).collect();
            let middle = times.len() / 2;
            let median = *times.select_nth_unstable(middle).1;
            let before = self.opening.len();
            self.opening.retain(|_, one| one.at > median);
            self.stats.evicted += (before - self.opening.len()) as u64;
        }
        self.opening.insert(socket, opening);
    }

    #[allow(clippy::too_many_arguments, reason = "an event's fields")]
    fn socket(
        &mut self,
        at: u64,
        action: Action,
        pid: u32,
        ends: Ends,
        uid: Option<u32>,
        net: Option<u64>,
        out: &mut Vec<Record>,
    ) {
        // What is not TCP or has no port cannot be asked for by anyone.
        if ends.local_port == 0
            || (action != Action::Listen && ends.proto == TCP && ends.remote_port == 0)
        {
            return;
        }
        let net = net.or_else(|| self.programs.net(pid));
        if !self.admits(net) {
            return;
        }
        if let Some(program) = self.program(pid, uid, out) {
            out.push(self.record(at, action, ends, program, uid));
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
        out.push(Record::Lost { ts: self.utc(at), events });
    }

    /// Whether a namespace is the one that counts; counts the others and the unknown.
    fn admits(&mut self, net: Option<u64>) -> bool {
        match self.is_ours(net) {
            Some(true) => return true,
            Some(false) => self.stats.foreign += 1,
            None => self.stats.unsure += 1,
        }
        false
    }

    fn is_ours(&self, net: Option<u64>) -> Option<bool> {
        net.map(|net| net == self.net)
    }

    fn told(&self, mut program: Program) -> Record {
        program.started = program.started.map(|since| since + self.since);
        Record::Program(program)
    }

    fn record(
        &self,
        at: u64,
        action: Action,
        ends: Ends,
        program: u64,
        uid: Option<u32>,
    ) -> Record {
        Record::Socket(self.socket_record(at, action, ends, program, uid))
    }

    fn socket_record(
        &self,
        at: u64,
        action: Action,
        ends: Ends,
        program: u64,
        uid: Option<u32>,
    ) -> Socket {
        let (ts, method, ends) = (self.utc(at), self.method, ends.plain());
        Socket { ts, action, method, ends, program, uid }
    }

    pub(crate) fn utc(&self, at: u64) -> Nanos {
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
}

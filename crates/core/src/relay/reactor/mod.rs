//! A thread of the relay: waits for sockets, letters and times, and carries its connections.
//!
//! The first thread accepts for all; each connection stays with the thread it was given to.

mod accept;
mod carry;
mod conn;
mod connect;
mod first;
mod letters;
mod line;
mod pump;
mod slots;
mod timers;

pub(super) use conn::Conn;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::event::Event;
use mio::{Events, Poll, Token, Waker};

use self::accept::Listener;
use self::slots::{Key, Slots};
use self::timers::Timers;
use super::events::Rows;
use super::moment::Moment;
use super::net::heap;
use super::net::pipe::Pipe;
use super::running::Running;
use super::session::{Event as Happened, Phase, cause};
use super::shared::{Shared, lock};
use crate::packet::Nanos;

/// Bytes of a thread's buffer: the most that is read at once.
pub(super) const BUFFER: usize = 1 << 20;

/// Events taken from the kernel at once.
const EVENTS: usize = 1024;

/// How long a thread sleeps at most, so that clocks that jump do no harm.
const NAP: Nanos = 1_000_000_000;

/// How long no rows came before the heap is tidied.
const QUIET: Nanos = 2_000_000_000;

/// How often a connection that goes on gives a row of `conn`.
const INTERIM: Nanos = 60_000_000_000;

/// Pipes kept for the next that needs one.
const PIPES: usize = 16;

const WAKE: Token = Token(usize::MAX);
const LISTENER: usize = 1 << (usize::BITS - 1);
const FAR: usize = 1 << (usize::BITS - 2);

/// Two clocks, read together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Since the relay started; never goes back.
    pub(super) mono: Nanos,
    /// UTC.
    pub(super) wall: Nanos,
}

/// The relay's clocks.
#[derive(Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            mono: self.0.elapsed().as_nanos() as Nanos,
            wall: wall.map_or(0, |wall| wall.as_nanos() as Nanos),
        }
    }
}

/// A thread's belongings.
pub(super) struct Worker {
    number: usize,
    poll: Poll,
    shared: Arc<Shared>,
    clock: Clock,
    now: Now,
    running: Arc<Running>,
    conns: Slots<Box<Conn>>,
    timers: Timers,
    rows: Rows,
    buffer: Vec<u8>,
    pipes: Vec<Pipe>,
    /// Whether the kernel moves bytes between sockets for us.
    splices: bool,
    /// Connections with work left that had their turn.
    again: Vec<Key>,
    /// What is listened on (the first thread only).
    listeners: Vec<Listener>,
    /// Listeners with connections to accept.
    ready: Vec<usize>,
    /// Nothing is accepted before this.
    accepts_at: Nanos,
    /// No file was left the last time.
    starved: bool,
    /// When taken ports are tried again.
    retries_at: Option<Nanos>,
    /// When it was last said that there is no room.
    told_full: Option<Nanos>,
    /// The relay stops, at the latest then.
    ends_at: Option<Nanos>,
    /// When connections that go on last gave rows.
    swept_at: Nanos,
    /// When rows were last handed on, if the heap was not tidied since (the first thread only).
    handed_at: Option<Nanos>,
}

impl Worker {
    /// What a thread waits with, and how it is woken.
    pub(super) fn poll() -> io::Result<(Poll, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        Ok((poll, waker))
    }

    pub(super) fn new(number: usize, poll: Poll, shared: Arc<Shared>, clock: Clock) -> Self {
        let running = Arc::clone(&lock(&shared.running));
        Self {
            number,
            poll,
            clock,
            now: clock.now(),
            rows: Rows::new(running.sensor.clone()),
            running,
            conns: Slots::default(),
            timers: Timers::default(),
            buffer: vec![0; BUFFER],
            pipes: Vec::new(),
            splices: cfg!(target_os = "linux"),
            again: Vec::new(),
            listeners: Vec::new(),
            ready: Vec::new(),
            accepts_at: 0,
            starved: false,
            retries_at: None,
            told_full: None,
            ends_at: None,
            swept_at: 0,
            handed_at: None,
            shared,
        }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Works until the relay has stopped.
    pub(super) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            match self.poll.poll(&mut events, Some(self.patience())) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            self.now = self.clock.now();
            for event in &events {
                self.dispatch(event);
            }
            self.leftovers();
            self.letters();
            self.accept();
            self.expire();
            self.sweep();
            if self.ends_at.is_some_and(|at| self.now.mono >= at) {
                self.end_where(cause::DRAIN, |_| true);
            }
            let over = self.ends_at.is_some() && self.conns.len() == 0 && self.is_last_word();
            self.hand_over(over);
            if over {
                return Ok(());
            }
            self.tidy();
        }
    }

    /// Whether nobody will be handed to this thread any more.
    fn is_last_word(&self) -> bool {
        !self.shared.accepting.load(Ordering::SeqCst) && self.shared.is_read(self.number)
    }

    fn patience(&self) -> Duration {
        if !self.again.is_empty() || self.may_accept() {
            return Duration::ZERO;
        }
        let rows = self.rows.due().map(|due| due - self.now.wall);
        let mono = [
            self.timers.next(),
            self.retries_at,
            self.ends_at,
            (!self.ready.is_empty()).then_some(self.accepts_at),
        ];
        let mono = mono.into_iter().flatten().map(|at| at - self.now.mono);
        let wait = mono.chain(rows).min().unwrap_or(NAP).clamp(0, NAP);
        // Rounded up: waking before it is time would be in vain.
        Duration::from_millis(wait.unsigned_abs().div_ceil(1_000_000))
    }

    fn dispatch(&mut self, event: &Event) {
        let Token(token) = event.token();
        if event.token() == WAKE {
            // Letters are read in every round.
        } else if token & LISTENER != 0 {
            self.listener_ready(token & !LISTENER);
        } else {
            let key = key_of(token);
            self.with(key, |worker, conn| worker.woken(conn, event, token & FAR != 0));
        }
    }

    /// Does something to a connection, if it is there, and sees to what follows.
    fn with(&mut self, key: Key, work: impl FnOnce(&mut Self, &mut Conn)) {
        let Some(mut conn) = self.conns.take(key) else {
            return;
        };
        work(self, &mut conn);
        self.settle(key, conn);
    }

    fn settle(&mut self, key: Key, mut conn: Box<Conn>) {
        if conn.is_over() {
            self.conns.release(key);
            self.shared.change_load(self.number, false);
        } else {
            self.arm(&mut conn);
            self.conns.put(key, conn);
        }
    }

    /// Sees to it that a connection is looked at when its time comes.
    fn arm(&mut self, conn: &mut Conn) {
        let deadline = conn.session.deadline(&conn.service.plan.timeouts);
        let next = [deadline, conn.paused.get()].into_iter().flatten().min();
        if let Some(at) = next.filter(|at| *at < conn.timer) {
            conn.timer = at;
            self.timers.push(at, conn.key);
        }
    }

    /// Connections that had more to do than one turn.
    fn leftovers(&mut self) {
        for key in std::mem::take(&mut self.again) {
            self.with(key, |worker, conn| {
                conn.queued = false;
                worker.step(conn);
            });
        }
    }

    fn queue(&mut self, conn: &mut Conn) {
        if !conn.queued {
            conn.queued = true;
            self.again.push(conn.key);
        }
    }

    fn expire(&mut self) {
        while let Some((at, key)) = self.timers.pop(self.now.mono) {
            if self.conns.get(key).is_some_and(|conn| conn.timer == at) {
                self.with(key, Self::expired);
            }
        }
        let conns = &self.conns;
        let timer = |key| conns.get(key).map(|conn| conn.timer);
        let counts = |at, key| timer(key) == Some(at);
        self.timers.tidy(conns.len(), counts);
    }

    fn expired(&mut self, conn: &mut Conn) {
        conn.timer = Nanos::MAX;
        if conn.paused.get().is_some_and(|until| until <= self.now.mono) {
            conn.paused = Moment::NEVER;
            self.step(conn);
        }
        self.tell(conn, Happened::Time);
    }

    /// Looks after connections that went on since the last time: writes their rows.
    fn sweep(&mut self) {
        if self.now.mono - self.swept_at < INTERIM {
            return;
        }
        for conn in self.conns.iter() {
            // Only now, for most connections are over before it could matter.
            if conn.connected.get().is_some_and(|at| at >= self.swept_at) {
                conn.keep_far_alive();
            }
            if conn.session.phase() == Phase::Relaying && conn.session.heard() >= self.swept_at {
                self.rows.interim(conn, self.now.wall);
            }
        }
        self.swept_at = self.now.mono;
    }

    fn hand_over(&mut self, all: bool) {
        if self.number == 0 {
            for notice in self.shared.notices() {
                self.rows.notice(&notice, self.now.wall);
            }
        }
        for batch in self.rows.drain(self.now.wall, all) {
            self.shared.offer(batch);
            self.handed_at = Some(self.now.mono);
        }
    }

    /// Gives back what batches have left, when there is time for it.
    fn tidy(&mut self) {
        let quiet = self.handed_at.is_some_and(|at| self.now.mono - at >= QUIET);
        if quiet && self.number == 0 {
            self.handed_at = None;
            heap::tidy();
        }
    }
}

fn token_of(key: Key, far: bool) -> Token {
    let side = if far { FAR } else { 0 };
    Token((key.generation as usize) << 32 | key.at as usize | side)
}

fn key_of(token: usize) -> Key {
    Key { at: token as u32, generation: ((token & !FAR) >> 32) as u32 }
}

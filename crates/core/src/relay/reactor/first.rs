//! The beginning of a connection: its PROXY header, its first bytes, and where they say it goes.

use std::net::SocketAddr;

use rustix::io::Errno;

use super::super::detect::{First, Verdict};
use super::super::events::Detail;
use super::super::moment::Moment;
use super::super::net::socket;
use super::super::plan::Refusal;
use super::super::proxy::{self, Ends};
use super::super::session::{Command, Event, Phase, cause};
use super::accept::flow_of;
use super::pump::MEMORY_PAUSE;
use super::{BUFFER, Conn, Worker};
use crate::flow::Direction;
use crate::packet::Nanos;

/// What is read at once of somebody who is held, and how long nothing is read after that.
const HELD_BYTES: usize = 64 << 10;
const HELD_PAUSE: Nanos = 1_000_000_000;

impl Worker {
    /// Reads on until the PROXY header is whole.
    pub(super) fn read_header(&mut self, conn: &mut Conn) {
        while conn.session.phase() == Phase::Header && conn.near.readable && !conn.rests() {
            if self.read_more(conn, proxy::LONGEST).is_none() {
                continue;
            }
            let parsed = proxy::parse(conn.up.bytes());
            match parsed {
                Ok(Some((header, length))) => {
                    conn.up.pass(length);
                    let freed = conn.up.free(length);
                    self.shared.memory.give_back(freed);
                    let (client, server) = match header.ends {
                        Ends::Ip(client, server) => (client, server),
                        _ => (conn.client(), conn.server()),
                    };
                    conn.flow = flow_of(client, server, self.now.wall, &conn.service);
                    self.begin(conn, client, server);
                }
                Ok(None) if conn.up.bytes().len() < proxy::LONGEST => {}
                _ => self.tell(conn, Event::Close(cause::PROXY_HEADER)),
            }
        }
    }

    /// Begins with a connection whose client is known now: lets it in, or not.
    fn begin(&mut self, conn: &mut Conn, client: SocketAddr, server: SocketAddr) {
        let admitted = self.shared.admit(&conn.service, client.ip(), server.port(), self.now.wall);
        match admitted {
            Ok(pass) => {
                conn.pass = Some(pass);
                self.rows.event(conn, "accept", self.now.wall, &Detail::default());
                self.look(conn);
            }
            Err(cause) => {
                let who = (conn.id, &*conn.service.plan.name);
                self.rows.refused(who, (client, server), cause, self.now.wall);
                let refusal = held_if_room(conn, conn.service.plan.limits.refusal);
                self.tell(conn, Event::Refused(refusal, cause));
            }
        }
    }

    /// Looks at the first bytes, if anybody wants to.
    pub(super) fn look(&mut self, conn: &mut Conn) {
        let looks = conn.service.rules.looks();
        let came = conn.up.bytes().to_vec();
        if !came.is_empty() {
            // They came with the PROXY header, and count from here on.
            self.observe(conn, Direction::Up, &came);
            let _ = self.ask(conn, Event::Read(Direction::Up, came.len()));
        }
        self.tell(conn, Event::Begin { looks });
    }

    /// Reads on until it is known where the connection goes.
    pub(super) fn read_first(&mut self, conn: &mut Conn) {
        let most = conn.service.plan.detect_bytes.max(1);
        while conn.session.phase() == Phase::Looking && conn.near.readable && !conn.rests() {
            if let Some(read) = self.read_more(conn, most) {
                let at = conn.up.bytes().len() - read;
                let came = conn.up.bytes().get(at..).unwrap_or_default().to_vec();
                self.observe(conn, Direction::Up, &came);
                self.tell(conn, Event::Read(Direction::Up, read));
            }
        }
    }

    /// Adds to what the client has said; how much, or `None` if it said nothing more.
    fn read_more(&mut self, conn: &mut Conn, most: usize) -> Option<usize> {
        let wanted = most.saturating_sub(conn.up.bytes().len()).min(BUFFER);
        let granted = self.shared.memory.reserve(wanted);
        if granted == 0 {
            self.pause(conn, MEMORY_PAUSE);
            return None;
        }
        let room = self.buffer.get_mut(..granted)?;
        let result = socket::read(&conn.near.socket, room);
        let read = result.unwrap_or(0);
        self.shared.memory.give_back(granted - read);
        conn.up.reserve(read);
        match result {
            Ok(0) => {
                conn.near.readable = false;
                conn.flow.done(Direction::Up, self.now.wall);
                self.tell(conn, Event::Ended(Direction::Up));
            }
            Ok(read) => {
                conn.near.readable = read == granted || conn.near.hung_up;
                conn.up.push(self.buffer.get(..read).unwrap_or_default());
                return Some(read);
            }
            Err(Errno::AGAIN) => conn.near.readable = false,
            Err(Errno::INTR) => {}
            Err(_) => self.tell(conn, Event::Broken(Direction::Up)),
        }
        None
    }

    /// Asks the rules where it goes.
    pub(super) fn judge(&mut self, conn: &mut Conn, over: bool) -> Command {
        let source = conn.client().ip();
        let country = self.running.countries.as_ref().and_then(|places| places.of(source));
        let mut look = conn.look.take().unwrap_or_default();
        let first = First {
            data: conn.up.bytes(),
            source,
            port: conn.server().port(),
            country: country.as_deref(),
            over,
        };
        let verdict = conn.service.rules.judge_on(&mut look, &first);
        let Verdict::Take { backend, rule, service, refusal } = verdict else {
            conn.look = Some(look);
            return Command::Nothing;
        };
        conn.known = Moment::at(self.now.mono);
        conn.detected = service;
        conn.rule = rule;
        conn.backend = backend.as_ref().and_then(|name| conn.service.backend(name));
        if conn.service.rules.looks() {
            let data = conn.up.bytes();
            let kept = conn.service.plan.excerpts.of_read(data.len(), 0).unwrap_or(0);
            let payload = data.get(..kept).filter(|kept| !kept.is_empty());
            let size = Some(data.len() as u64);
            let detail = Detail { size, payload, ..Detail::default() };
            self.rows.event(conn, "detect", self.now.wall, &detail);
        }
        if backend.is_some() {
            return self.ask(conn, Event::Taken);
        }
        conn.service.counters.refused(cause::RULE);
        let refusal = held_if_room(conn, refusal);
        self.ask(conn, Event::Refused(refusal, cause::RULE))
    }

    /// Throws away what somebody says who is held, little at a time: whoever talks without end is to wait, not others.
    pub(super) fn discard(&mut self, conn: &mut Conn) {
        let mut left = HELD_BYTES;
        while conn.near.readable && !conn.rests() {
            let room = self.buffer.get_mut(..left).unwrap_or_default();
            match socket::read(&conn.near.socket, room) {
                Ok(0) | Err(Errno::AGAIN) => conn.near.readable = false,
                Ok(read) if read < left => left -= read,
                Ok(_) => return self.pause(conn, HELD_PAUSE),
                Err(Errno::INTR) => {}
                Err(_) => {
                    conn.near.readable = false;
                    return self.tell(conn, Event::Broken(Direction::Up));
                }
            }
            if conn.near.hung_up && !conn.near.readable {
                return self.tell(conn, Event::Ended(Direction::Up));
            }
        }
    }
}

/// How somebody is refused: only so many are held.
fn held_if_room(conn: &mut Conn, refusal: Refusal) -> Refusal {
    let holds = matches!(refusal, Refusal::Silent | Refusal::Tarpit);
    conn.pass = None;
    if holds && !conn.seat.hold() { Refusal::Close } else { refusal }
}

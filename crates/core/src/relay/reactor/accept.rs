//! Doors: opened, tried again when taken, and connections accepted in batches and given to the threads.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mio::unix::SourceFd;
use mio::{Interest, Token};
use rustix::io::Errno;

use super::super::events::{Detail, address};
use super::super::moment::Moment;
use super::super::net::files;
use super::super::net::socket::{self, Listening};
use super::super::plan::{Refusal, Steering};
use super::super::running::{Place, Service};
use super::super::session::{Event, Session, cause};
use super::super::shared::{Arrival, Letter, Seat, lock};
use super::conn::End;
use super::line::Line;
use super::{Conn, LISTENER, Worker};
use crate::error::words;
use crate::flow::Flow;
use crate::packet::Nanos;

/// Connections accepted from one door before others have their turn.
const BATCH: usize = 64;

/// How long nothing is accepted when the system has no room for another connection.
const BREATH: Nanos = 100_000_000;

/// Time between two lines that say so.
const SILENCE: Nanos = 60_000_000_000;

/// A door.
pub(super) struct Listener {
    at: SocketAddr,
    steering: Steering,
    service: Arc<Service>,
    /// `None` while the port is taken.
    socket: Option<OwnedFd>,
    /// When a taken port is tried again.
    retry_at: Nanos,
    /// Connections may wait to be accepted.
    ready: bool,
    /// It waits for a connection to end.
    blocked: bool,
}

/// The flow of a connection that was just accepted.
pub(super) fn flow_of(
    client: SocketAddr,
    server: SocketAddr,
    wall: Nanos,
    service: &Service,
) -> Flow {
    let end = |at: SocketAddr| (address(at.ip()), at.port());
    let mut flow = Flow::accepted(end(client), end(server), wall);
    if !service.plan.parse {
        flow.ignore();
    }
    flow
}

impl Worker {
    /// Opens the doors of the plan there is now; those that stay are not touched.
    pub(super) fn open_doors(&mut self, handed: Vec<(SocketAddr, OwnedFd)>) {
        let mut old: std::collections::HashMap<_, _> =
            self.listeners.drain(..).map(|known| ((known.at, known.steering), known)).collect();
        let mut handed: std::collections::HashMap<_, _> = handed.into_iter().collect();
        self.ready.clear();
        let running = Arc::clone(&self.running);
        let places: Vec<Place> = running.places().collect();
        for place in places {
            let known = old.remove(&(place.at, place.steering));
            let socket = known.and_then(|known| known.socket).or(handed.remove(&place.at));
            let Place { at, steering, service } = place;
            if steering != Steering::Sockets && socket.is_none() {
                // Nothing would come to a socket that nobody steers to.
                let text = format!("{at}: no socket was given for {}; closed", steering.name());
                self.shared.notice(Some(&service.plan.name), text);
                continue;
            }
            let listener = Listener {
                at,
                steering,
                service,
                socket,
                retry_at: 0,
                ready: true,
                blocked: false,
            };
            self.listeners.push(listener);
        }
        drop(old);
        lock(&self.shared.waiting).clear();
        self.retries_at = Some(0);
        for number in 0..self.listeners.len() {
            self.watch(number);
        }
        self.try_doors();
    }

    /// Has the kernel tell of connections at a door that is open.
    fn watch(&mut self, number: usize) {
        let Some(listener) = self.listeners.get_mut(number) else {
            return;
        };
        let Some(socket) = &listener.socket else {
            return;
        };
        let how = listening(&listener.service);
        let fd = socket.as_raw_fd();
        let registry = self.poll.registry();
        let token = Token(LISTENER | number);
        let ready = socket::adopt_listening(socket, &how).and_then(|()| {
            // One that stayed is known already, by its old number.
            let _ = registry.deregister(&mut SourceFd(&fd));
            registry.register(&mut SourceFd(&fd), token, Interest::READABLE)
        });
        match ready {
            Ok(()) => self.ready.push(number),
            Err(error) => {
                let text = format!("{}: {}", listener.at, words(&error));
                self.shared.notice(Some(&listener.service.plan.name), text);
            }
        }
    }

    /// Tries the ports that were taken, if it is time.
    pub(super) fn try_doors(&mut self) {
        if self.retries_at.is_none_or(|at| at > self.now.mono) {
            return;
        }
        let mut next: Option<Nanos> = None;
        for number in 0..self.listeners.len() {
            let Some(listener) = self.listeners.get_mut(number) else {
                break;
            };
            if listener.socket.is_some() {
                continue;
            }
            if listener.retry_at > self.now.mono {
                next = Some(next.map_or(listener.retry_at, |next| next.min(listener.retry_at)));
                continue;
            }
            let how = listening(&listener.service);
            match socket::listen(listener.at, &how) {
                Ok(socket) => {
                    listener.socket = Some(socket);
                    let name = Arc::clone(&listener.service.plan.name);
                    let at = listener.at;
                    if lock(&self.shared.waiting).remove(&at).is_some() {
                        self.shared.notice(Some(&name), format!("{at}: free now, listening"));
                    }
                    self.watch(number);
                }
                Err(error) => {
                    let retry = listener.service.plan.listen_retry.max(BREATH);
                    listener.retry_at = self.now.mono.saturating_add(retry);
                    next = Some(next.map_or(listener.retry_at, |next| next.min(listener.retry_at)));
                    let (at, text) = (listener.at, words(&error));
                    let name = Arc::clone(&listener.service.plan.name);
                    if lock(&self.shared.waiting).insert(at, text.clone()).is_none() {
                        self.shared.notice(Some(&name), format!("{at}: {text}; tried again"));
                    }
                }
            }
        }
        self.retries_at = next;
    }

    /// The kernel says that connections wait at a door.
    pub(super) fn listener_ready(&mut self, number: usize) {
        if let Some(listener) = self.listeners.get_mut(number)
            && !listener.ready
        {
            listener.ready = true;
            self.ready.push(number);
        }
    }

    /// Whether there is something to accept now.
    pub(super) fn may_accept(&self) -> bool {
        !self.ready.is_empty() && self.accepts_at <= self.now.mono
    }

    /// Accepts what waits, in turns.
    pub(super) fn accept(&mut self) {
        self.try_doors();
        if !self.may_accept() {
            return;
        }
        if std::mem::take(&mut self.starved) && !files::room() {
            return self.breathe();
        }
        let mut loads = Vec::new();
        for number in std::mem::take(&mut self.ready) {
            self.accept_at(number, &mut loads);
            let more = self.listeners.get(number).is_some_and(|door| door.ready && !door.blocked);
            if more {
                self.ready.push(number);
            }
        }
        for (to, arrivals) in loads.into_iter().enumerate() {
            self.shared.write_many(arrivals, to);
        }
    }

    fn accept_at(&mut self, number: usize, loads: &mut Vec<Vec<Letter>>) {
        for _ in 0..BATCH {
            let Some(listener) = self.listeners.get_mut(number) else {
                return;
            };
            let Some(socket) = listener.socket.as_ref() else {
                listener.ready = false;
                return;
            };
            let Some(seat) = self.shared.seat(&listener.service) else {
                listener.blocked = true;
                return self.told_full("as many connections as there may be");
            };
            match socket::accept(socket) {
                Ok((socket, client)) => {
                    let asked = (listener.at, listener.steering, Arc::clone(&listener.service));
                    if let Some((to, letter)) = self.arrive(socket, client, asked, seat) {
                        if loads.len() <= to {
                            loads.resize_with(to + 1, Vec::new);
                        }
                        if let Some(load) = loads.get_mut(to) {
                            load.push(letter);
                        }
                    }
                    if self.accepts_at > self.now.mono {
                        return;
                    }
                }
                Err(Errno::AGAIN) => {
                    listener.ready = false;
                    return;
                }
                Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                    return self.breathe();
                }
                // Gone already, or not worth a word each (accept(2)).
                Err(_) => listener.service.counters.refused(cause::GONE),
            }
        }
    }

    /// Room may have become free: doors that waited are looked at again.
    pub(super) fn unblock(&mut self) {
        for (number, listener) in self.listeners.iter_mut().enumerate() {
            if std::mem::take(&mut listener.blocked) {
                self.ready.push(number);
            }
        }
    }

    /// No file is left, for a client or for the way to its backend: nobody else is taken in for a moment.
    pub(super) fn breathe(&mut self) {
        self.accepts_at = self.now.mono + BREATH;
        self.starved = true;
        self.told_full("no more files may be opened");
    }

    fn told_full(&mut self, why: &str) {
        if self.told_full.is_none_or(|told| self.now.mono - told >= SILENCE) {
            self.told_full = Some(self.now.mono);
            let now = self.shared.connections.load(Ordering::Relaxed);
            let text = format!("{why} ({now} now): new ones wait in the backlog");
            self.shared.notice(None, text);
        }
    }

    /// Lets somebody in, or not; a letter for another thread if that is to carry it.
    fn arrive(
        &mut self,
        socket: OwnedFd,
        client: SocketAddr,
        (at, steering, service): (SocketAddr, Steering, Arc<Service>),
        mut seat: Seat,
    ) -> Option<(usize, Letter)> {
        let steered = steering != Steering::Sockets;
        let known = !steered && !at.ip().is_unspecified();
        let server = if known { Some(at) } else { socket::original(&socket, steering) };
        let server = server.unwrap_or(at);
        let id = self.shared.ids.fetch_add(1, Ordering::Relaxed);
        let header = service.trusts(client.ip());
        let admitted = if steered && !service.steers(at.ip(), steering, server.port()) {
            service.counters.refused(cause::PORT);
            Err(cause::PORT)
        } else if header {
            Ok(None)
        } else {
            self.shared.admit(&service, client.ip(), server.port(), self.now.wall).map(Some)
        };
        let mut held = None;
        let pass = match admitted {
            Ok(pass) => pass,
            Err(cause) => {
                self.rows.refused((id, &service.plan.name), (client, server), cause, self.now.wall);
                let refusal = service.plan.limits.refusal;
                let holds = matches!(refusal, Refusal::Silent | Refusal::Tarpit);
                if !holds || !seat.hold() {
                    if refusal == Refusal::Reset {
                        socket::reset_on_close(&socket);
                    }
                    return None;
                }
                held = Some(cause);
                None
            }
        };
        let (at, wall) = (self.now.mono, self.now.wall);
        let arrival =
            Arrival { id, socket, client, server, service, seat, pass, header, held, at, wall };
        let to = self.shared.least_loaded();
        if to == self.number {
            self.settle_in(arrival);
            return None;
        }
        Some((to, Letter::Arrival(Box::new(arrival))))
    }

    /// Takes a connection on.
    pub(super) fn settle_in(&mut self, arrival: Arrival) {
        let key = self.conns.reserve();
        let Arrival { id, socket, client, server, service, seat, pass, header, held, at, wall } =
            arrival;
        let mut near = End::new(socket);
        near.writable = true;
        let mut conn = Box::new(Conn {
            id,
            key,
            session: Session::new(at),
            flow: flow_of(client, server, wall, &service),
            service,
            local: None,
            near,
            far: None,
            up: Line::default(),
            down: Line::default(),
            backend: None,
            rule: None,
            detected: None,
            look: None,
            target: None,
            tried: 0,
            pass,
            seat,
            known: Moment::NEVER,
            connected: Moment::NEVER,
            timer: Nanos::MAX,
            paused: Moment::NEVER,
            queued: false,
        });
        if self.register(&conn.near.socket, &conn, false).is_err() {
            self.tell(&mut conn, Event::Close(cause::FILES));
        } else if let Some(cause) = held {
            let refusal = conn.service.plan.limits.refusal;
            self.tell(&mut conn, Event::Refused(refusal, cause));
        } else if !header {
            self.rows.event(&conn, "accept", wall, &Detail::default());
            // Rejected on its way here, after the letter that says so: nobody else would end it.
            if self.shared.gate.rejects(client.ip()) {
                self.tell(&mut conn, Event::Close(cause::REJECTED));
            } else {
                self.look(&mut conn);
            }
        }
        self.settle(key, conn);
    }
}

fn listening(service: &Service) -> Listening {
    Listening { backlog: service.plan.listen_backlog, keepalive: service.plan.keepalive }
}

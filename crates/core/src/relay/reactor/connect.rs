//! The way to a backend: a target is called, and another if it does not answer.

use std::os::fd::AsRawFd;

use mio::Interest;
use mio::unix::SourceFd;
use rustix::io::Errno;

use super::super::events::Detail;
use super::super::moment::Moment;
use super::super::net::socket;
use super::super::proxy;
use super::super::session::{Command, Event, Phase, cause};
use super::conn::End;
use super::{Conn, INTERIM, Worker, token_of};
use crate::flow::Direction;

impl Worker {
    /// Gives up the target there is, if any, and calls the next.
    pub(super) fn call(&mut self, conn: &mut Conn) -> Command {
        if conn.far.take().is_some() {
            self.failed(conn, cause::CONNECT_TIMEOUT);
        }
        let Some(backend) = conn.backend.clone() else {
            return self.ask(conn, Event::NoTarget);
        };
        let Some(number) = backend.choose(conn.tried, self.now.mono) else {
            return self.ask(conn, Event::NoTarget);
        };
        conn.target = u8::try_from(number).ok();
        conn.tried |= 1 << number;
        let Some(address) = backend.address(number) else {
            return self.ask(conn, Event::NoTarget);
        };
        let begun = socket::connect(address);
        let begun = begun.and_then(|socket| {
            self.register(&socket, conn, true).map(|()| socket).map_err(|_| Errno::NOMEM)
        });
        match begun {
            Ok(socket) => {
                conn.far = Some(End::new(socket));
                Command::Nothing
            }
            Err(error) => {
                let why = why(error);
                if why == cause::FILES {
                    self.breathe();
                }
                self.failed(conn, why);
                self.ask(conn, Event::Failed(why))
            }
        }
    }

    /// Whether the target that was called has answered.
    pub(super) fn look_for_answer(&mut self, conn: &mut Conn) {
        let Some(far) = conn.far.as_ref().filter(|far| far.writable) else {
            return;
        };
        // On Linux one that failed has hung up as well, so that the others need not be asked.
        let asks = far.hung_up || !cfg!(target_os = "linux");
        let answer = if asks { socket::connected(&far.socket) } else { Ok(()) };
        match answer {
            Ok(()) => self.answered(conn),
            Err(error) => {
                let why = why(error);
                conn.far = None;
                self.failed(conn, why);
                self.tell(conn, Event::Failed(why));
            }
        }
    }

    fn failed(&mut self, conn: &mut Conn, why: &'static str) {
        // That we may open no more files is not its fault.
        if let (Some(backend), Some(target)) = (&conn.backend, conn.target())
            && why != cause::FILES
        {
            backend.failed(target, self.now.mono);
        }
        let detail = Detail { cause: Some(why), ..Detail::default() };
        self.rows.event(conn, "connect", self.now.wall, &detail);
    }

    fn answered(&mut self, conn: &mut Conn) {
        conn.local = conn.far.as_ref().and_then(|far| socket::local(&far.socket));
        conn.connected = Moment::at(self.now.mono);
        if conn.service.plan.keepalive.is_some_and(|silence| silence < INTERIM) {
            conn.keep_far_alive();
        }
        if let Some(backend) = &conn.backend {
            if let Some(target) = conn.target() {
                backend.answered(target);
            }
            if let Some(version) = backend.header() {
                let header = proxy::make(version, conn.client(), conn.server());
                conn.up.push_front(&header);
            }
        }
        self.rows.event(conn, "connect", self.now.wall, &Detail::default());
        let phase = conn.session.phase();
        debug_assert_eq!(phase, Phase::Connecting);
        if !conn.up.bytes().is_empty() {
            self.tell(conn, Event::Waiting(Direction::Up));
        }
        self.tell(conn, Event::Connected);
    }

    /// Has the kernel tell of one of a connection's ends.
    pub(super) fn register(
        &self,
        socket: &impl AsRawFd,
        conn: &Conn,
        far: bool,
    ) -> std::io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = token_of(conn.key, far);
        self.poll.registry().register(&mut SourceFd(&socket.as_raw_fd()), token, interest)
    }
}

fn why(error: Errno) -> &'static str {
    match error {
        Errno::CONNREFUSED | Errno::NOENT => cause::CONNECT_REFUSED,
        Errno::TIMEDOUT => cause::CONNECT_TIMEOUT,
        Errno::MFILE | Errno::NFILE => cause::FILES,
        _ => cause::UNREACHABLE,
    }
}

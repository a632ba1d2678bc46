//! What is done with a connection: the session is told what happened and says what to do.

use std::os::fd::AsFd;

use mio::event::Event;

use super::super::events::Detail;
use super::super::net::{kernel, socket};
use super::super::session::{Command, Event as Happened, Phase, cause};
use super::{Conn, Worker};
use crate::flow::Direction;

impl Worker {
    /// The kernel says that something changed at one of its ends.
    pub(super) fn woken(&mut self, conn: &mut Conn, event: &Event, far: bool) {
        let Some(end) = (if far { conn.far.as_mut() } else { Some(&mut conn.near) }) else {
            return;
        };
        end.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        end.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
        end.hung_up |= event.is_read_closed() || event.is_error();
        let gone = event.is_error() || event.is_read_closed() && event.is_write_closed();
        if gone && !far && matches!(conn.session.phase(), Phase::Connecting | Phase::Held) {
            return self.tell(conn, Happened::Broken(Direction::Up));
        }
        self.step(conn);
    }

    /// Does all that can be done now.
    pub(super) fn step(&mut self, conn: &mut Conn) {
        loop {
            let before = conn.session.phase();
            match before {
                Phase::Header => self.read_header(conn),
                Phase::Looking => self.read_first(conn),
                Phase::Connecting => self.look_for_answer(conn),
                Phase::Relaying => {
                    self.pump(conn, Direction::Up);
                    self.pump(conn, Direction::Down);
                }
                Phase::Held => self.discard(conn),
                Phase::Over => return,
            }
            if conn.session.phase() == before {
                return;
            }
        }
    }

    /// Tells the session what happened, and does what it says.
    pub(super) fn tell(&mut self, conn: &mut Conn, event: Happened) {
        let command = self.ask(conn, event);
        self.obey(conn, command);
    }

    pub(super) fn ask(&self, conn: &mut Conn, event: Happened) -> Command {
        conn.session.on(event, self.now.mono, &conn.service.plan.timeouts)
    }

    fn obey(&mut self, conn: &mut Conn, command: Command) {
        let mut next = command;
        loop {
            next = match next {
                Command::Nothing => return,
                Command::Judge { over } => self.judge(conn, over),
                Command::Connect => self.call(conn),
                Command::Finish(direction) => {
                    if let Some((end, _)) = conn.receiver(direction) {
                        socket::finish(&end.socket);
                    }
                    return;
                }
                Command::Drip => {
                    // Whether it is taken does not matter.
                    let _ = socket::write(&conn.near.socket, b"\0");
                    return;
                }
                Command::Close(cause) => return self.end(conn, cause, false),
                Command::Reset(cause) => return self.end(conn, cause, true),
            };
        }
    }

    /// The last of a connection: its sockets are closed when it is dropped.
    fn end(&mut self, conn: &mut Conn, why: &'static str, reset: bool) {
        let near = kernel::rtt(conn.near.socket.as_fd());
        let far = conn.far.as_ref().and_then(|end| kernel::rtt(end.socket.as_fd()));
        match why {
            cause::CLIENT_RESET => conn.flow.broke_off(Direction::Up, self.now.wall),
            cause::BACKEND_RESET => conn.flow.broke_off(Direction::Down, self.now.wall),
            _ => {}
        }
        if let Some(rtt) = near {
            conn.flow.rtt_client = rtt;
        }
        if let Some(rtt) = far {
            conn.flow.rtt_server = rtt;
        }
        let detail = Detail { cause: Some(why), rtt: [near, far], ..Detail::default() };
        self.rows.event(conn, "close", self.now.wall, &detail);
        self.rows.ended(conn, why, self.now.wall);
        for end in [Some(&conn.near), conn.far.as_ref()].into_iter().flatten() {
            // A reset would destroy what the other end has not had yet.
            if reset && !kernel::has_unsent(end.socket.as_fd()) {
                socket::reset_on_close(&end.socket);
            }
        }
        for direction in [Direction::Up, Direction::Down] {
            self.release_line(conn, direction);
        }
    }
}

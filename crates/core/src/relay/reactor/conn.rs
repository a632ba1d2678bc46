//! One connection as a thread carries it: its sockets, what waits, and what is known of it.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::super::balance::Balance;
use super::super::detect::Look;
use super::super::limits::Pass;
use super::super::moment::Moment;
use super::super::net::socket;
use super::super::plan;
use super::super::running::Service;
use super::super::session::{Phase, Session};
use super::super::shared::Seat;
use super::line::Line;
use super::slots::Key;
use crate::decode::Address;
use crate::flow::{Direction, Flow};
use crate::packet::Nanos;

/// One end.
pub(in crate::relay) struct End {
    pub(super) socket: OwnedFd,
    /// Reading may give something. Told by the kernel once, so it is remembered.
    pub(super) readable: bool,
    /// Writing may take something.
    pub(super) writable: bool,
    /// The end of what it says is there, behind what was not read yet.
    pub(super) hung_up: bool,
}

impl End {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket, readable: false, writable: false, hung_up: false }
    }
}

/// A connection.
pub(in crate::relay) struct Conn {
    pub(in crate::relay) id: u64,
    pub(super) key: Key,
    pub(in crate::relay) service: Arc<Service>,
    pub(in crate::relay) session: Session,
    pub(in crate::relay) flow: Flow,
    /// Our end towards the backend.
    pub(in crate::relay) local: Option<SocketAddr>,
    pub(super) near: End,
    pub(super) far: Option<End>,
    pub(super) up: Line,
    pub(super) down: Line,
    pub(in crate::relay) backend: Option<Arc<Balance>>,
    pub(in crate::relay) rule: Option<Arc<str>>,
    /// What the rules recognised.
    pub(in crate::relay) detected: Option<&'static str>,
    /// What the rules found so far, until they are sure.
    pub(super) look: Option<Box<Look>>,
    /// The target that is called or was reached, and those called so far.
    pub(super) target: Option<u8>,
    pub(super) tried: u64,
    pub(super) pass: Option<Pass>,
    pub(super) seat: Seat,
    /// When it was known where it goes, when it was connected.
    pub(super) known: Moment,
    pub(super) connected: Moment,
    /// The entry among the timers that counts.
    pub(super) timer: Nanos,
    /// Bytes were too many: nothing is read before this.
    pub(super) paused: Moment,
    /// It is among those to look at again at once.
    pub(super) queued: bool,
}

impl Conn {
    pub(in crate::relay) fn client(&self) -> SocketAddr {
        socket_address(self.flow.ends().0)
    }

    /// Where the client wanted to go.
    pub(in crate::relay) fn server(&self) -> SocketAddr {
        socket_address(self.flow.ends().1)
    }

    /// Address of the backend that is called or was reached.
    pub(in crate::relay) fn remote(&self) -> Option<&plan::Address> {
        self.backend.as_ref()?.address(self.target()?)
    }

    pub(in crate::relay) fn detect_duration(&self) -> Option<Nanos> {
        self.known.get().map(|known| known - self.session.began())
    }

    pub(in crate::relay) fn connect_duration(&self) -> Option<Nanos> {
        Some(self.connected.get()? - self.known.get()?)
    }

    /// The target that is called or was reached, by number.
    pub(super) fn target(&self) -> Option<usize> {
        self.target.map(usize::from)
    }

    /// Nothing is read for now.
    pub(super) fn rests(&self) -> bool {
        self.paused != Moment::NEVER
    }

    /// Has the kernel ask the backend for signs of life.
    pub(super) fn keep_far_alive(&self) {
        if let Some(far) = &self.far {
            // A unix socket has no such thing.
            let _ = socket::keep_alive(&far.socket, self.service.plan.keepalive);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.session.phase() == Phase::Over
    }

    pub(super) fn line(&mut self, direction: Direction) -> &mut Line {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// The end that speaks in a direction.
    pub(super) fn sender(&mut self, direction: Direction) -> Option<&mut End> {
        match direction {
            Direction::Up => Some(&mut self.near),
            Direction::Down => self.far.as_mut(),
        }
    }

    /// The end that is spoken to, with what waits for it.
    pub(super) fn receiver(&mut self, direction: Direction) -> Option<(&mut End, &mut Line)> {
        match direction {
            Direction::Up => self.far.as_mut().map(|end| (end, &mut self.up)),
            Direction::Down => Some((&mut self.near, &mut self.down)),
        }
    }
}

/// An address as tables have it, as the system has it.
fn socket_address((address, port): (Address, u16)) -> SocketAddr {
    SocketAddr::new(IpAddr::from(address).to_canonical(), port)
}

#[cfg(test)]
mod tests {
    use super::Conn;

    #[test]
    fn a_connection_at_rest_leaves_room_in_a_kilobyte() {
        assert!(size_of::<Conn>() <= 656, "{} bytes", size_of::<Conn>());
    }
}

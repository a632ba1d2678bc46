//! A connection that a relay carries: its course without packets, told as its ends would have written it.

use super::{Direction, Flow, UNKNOWN};
use crate::decode::{Address, Tcp};
use crate::packet::Nanos;

impl Flow {
    /// A TCP connection that a relay has accepted: its handshake is over.
    pub fn accepted(client: (Address, u16), called: (Address, u16), now: Nanos) -> Self {
        let mut flow = Self::between(client, called, 6, now);
        flow.tell(Direction::Up, Tcp::SYN, 0, now);
        flow.tell(Direction::Down, Tcp::SYN | Tcp::ACK, 0, now);
        flow.tell(Direction::Up, Tcp::ACK, 0, now);
        // Nobody saw when the handshake's segments went.
        (flow.rtt_client, flow.rtt_server) = (UNKNOWN, UNKNOWN);
        flow
    }

    /// One end has said so many bytes.
    pub fn said(&mut self, direction: Direction, bytes: u64, now: Nanos) {
        self.side_mut(direction).payload += bytes;
        self.tell(direction, Tcp::ACK, u32::try_from(bytes).unwrap_or(u32::MAX), now);
    }

    /// One end is done.
    pub fn done(&mut self, direction: Direction, now: Nanos) {
        self.tell(direction, Tcp::FIN | Tcp::ACK, 0, now);
    }

    /// One end broke off.
    pub fn broke_off(&mut self, direction: Direction, now: Nanos) {
        self.tell(direction, Tcp::RST, 0, now);
    }

    /// Stops listening to what is said.
    pub fn ignore(&mut self) {
        self.deaf = true;
    }

    /// Whether nobody listens to what is said any more.
    pub fn is_ignored(&self) -> bool {
        self.deaf
    }

    fn tell(&mut self, direction: Direction, flags: u8, payload: u32, now: Nanos) {
        let tcp = Tcp { seq: 0, ack: 0, flags, window: u16::MAX };
        self.last = self.last.max(now);
        self.tcp_header(direction, &tcp, payload, now);
    }
}

//! Segment to connection and stream: who talks to whom, in what state, in which order.

mod identity;
mod index;
mod key;
mod lifetime;
mod opening;
mod reassembly;
mod relayed;
mod row;
mod slab;
mod stream;
mod table;
mod tcp;
mod timers;

pub use identity::{Uid, community_id, uid};
pub use index::Slot;
pub use key::{FlowKey, icmp_ports, ports};
pub use reassembly::{Outcome, Ready, Reassembly};
pub use row::{Observed, Relayed, address_text, conn_row, packet_row, protocol_name, relayed_row};
pub use table::{FlowTable, Place, TableStats};
pub use tcp::{EndState, History, conn_state};

use crate::decode::{Address, Segment, Tcp};
use crate::packet::Nanos;
use crate::protocols::{Service, Talk};
use timers::Timer;

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the end that opened the connection.
    Up,
    /// From the end that was called.
    Down,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// A run of bytes of one direction of a stream, in order; made by capture and relay alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// When its last byte was seen.
    pub ts: Nanos,
    /// Bytes of the stream that are missing before `data`, for good.
    pub gap: u64,
    /// The bytes.
    pub data: &'a [u8],
}

/// Why a connection counts as over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Both sides sent FIN.
    Fin,
    /// A side sent RST.
    Rst,
    /// Silent for longer than its timeout.
    Idle,
    /// The flow table was full.
    Evicted,
    /// A new connection took its addresses and ports.
    Reused,
    /// The capture ended.
    Eof,
    /// The relay ended it.
    Relay,
}

impl EndReason {
    /// As column `end_reason` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Idle => "idle",
            Self::Evicted => "evicted",
            Self::Reused => "reused",
            Self::Eof => "eof",
            Self::Relay => "relay",
        }
    }
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side {
    /// IP packets.
    pub packets: u64,
    /// IP bytes, headers included.
    pub bytes: u64,
    /// Transport payload bytes as sent, retransmissions included.
    pub payload: u64,
    /// Segments whose data was all sent before.
    pub retransmits: u32,
    /// The sequence number that continues the stream, once `started`.
    next_seq: u32,
    /// TCP flags seen.
    pub flags: u8,
    /// Time to live of the first packet.
    pub ttl: u8,
    /// Where this end stands (TCP).
    pub state: EndState,
    /// Letters of the history that were written already.
    letters: u8,
    /// Whether `next_seq` is known.
    started: bool,
    /// Whether the window is closed now.
    closed_window: bool,
}

/// What few connections have, kept aside so that all others stay small.
#[derive(Debug, Default)]
pub struct Extra {
    /// The connection that carries this one.
    pub tunnel_uid: Option<Uid>,
    /// Segments that came after later ones, up and down.
    pub out_of_order: [u32; 2],
    /// Times the receive window closed, up and down.
    pub zero_windows: [u32; 2],
    /// Bytes acknowledged but never seen, up and down.
    pub missed: [u64; 2],
    /// How many gaps they make.
    gaps: [u32; 2],
    /// Sequence numbers of FINs that came before all data in front of them, up and down.
    fins: [Option<u32>; 2],
    /// Packets with a wrong checksum.
    bad_checksums: [u32; 2],
    /// Data that came early, up and down.
    streams: [Option<Box<Reassembly>>; 2],
}

/// One connection.
pub struct Flow {
    /// Addresses, ports, protocol, tunnel.
    pub key: FlowKey,
    /// Time of the first packet.
    pub first: Nanos,
    /// Time of the last packet.
    pub last: Nanos,
    /// What the opener sent.
    pub up: Side,
    /// What came back.
    pub down: Side,
    /// SYN to SYN-ACK, [`UNKNOWN`] if not seen.
    pub rtt_server: Nanos,
    /// SYN-ACK to ACK, [`UNKNOWN`] if not seen.
    pub rtt_client: Nanos,
    extra: Option<Box<Extra>>,
    /// What is said on it, while somebody listens or if it has a name.
    pub(crate) talk: Option<Box<Talk>>,
    timer: Timer,
    /// Interface of the first packet.
    pub iface: u16,
    /// VLAN of the first packet, 0 for none.
    pub vlan: u16,
    /// What happened, in Zeek's letters.
    pub history: History,
    /// Application protocol, by what was said.
    pub service: Option<Service>,
    /// Whether nobody listens to its streams any more.
    pub(crate) deaf: bool,
    /// Whether the opener is the key's lower end.
    low_opened: bool,
    /// Tells connections apart that have the same ends and began in the same nanosecond.
    generation: u8,
    alive: bool,
}

/// A round-trip time that was not seen.
pub const UNKNOWN: Nanos = -1;

impl Flow {
    /// Address and port of the opener, then of the called end.
    pub fn ends(&self) -> ((Address, u16), (Address, u16)) {
        let low = (self.key.low, self.key.low_port);
        let high = (self.key.high, self.key.high_port);
        if self.low_opened { (low, high) } else { (high, low) }
    }

    /// Address and port of the end that speaks in a direction.
    pub fn speaker(&self, direction: Direction) -> (Address, u16) {
        let (src, dst) = self.ends();
        match direction {
            Direction::Up => src,
            Direction::Down => dst,
        }
    }

    /// The connection's identifier.
    pub fn uid(&self) -> Uid {
        uid(&self.key, self.first, self.generation)
    }

    /// What few connections have.
    pub fn extra(&self) -> Option<&Extra> {
        self.extra.as_deref()
    }

    /// Whether both of its streams were seen from their first byte on, as far as they began.
    pub(crate) fn began(&self) -> bool {
        let began = |side: &Side| side.packets == 0 || side.flags & Tcp::SYN != 0;
        began(&self.up) && began(&self.down)
    }

    fn side_mut(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    fn direction(&self, from_low: bool) -> Direction {
        if from_low == self.low_opened { Direction::Up } else { Direction::Down }
    }
}

impl Extra {
    fn of(flow: &mut Flow) -> &mut Self {
        flow.extra.get_or_insert_default()
    }
}

/// One more of what is counted by direction; the new count.
fn count_one(counts: &mut [u32; 2], direction: Direction) -> u32 {
    let Some(count) = counts.get_mut(direction as usize) else {
        return 0;
    };
    *count = count.saturating_add(1);
    *count
}

/// Told what happens to connections while packets are put to them.
pub trait Observer {
    /// Whether somebody listens to a connection. If so, it gets its datagrams, and its streams in
    /// order; if not, only their lengths are followed, which costs no buffers.
    fn listens(&self, flow: &Flow) -> bool;

    /// The next bytes of a stream, in order.
    fn chunk(&mut self, flow: &mut Flow, chunk: &Chunk<'_>);

    /// A datagram with payload (UDP).
    fn datagram(&mut self, flow: &mut Flow, direction: Direction, segment: &Segment<'_>);

    /// A connection was made, and its first segment counted.
    fn opened(&mut self, flow: &mut Flow);

    /// A connection as it stands, while it is open.
    fn row(&mut self, flow: &Flow);

    /// A connection is over: its last row is to be made.
    fn ended(&mut self, flow: &mut Flow, reason: EndReason);
}

#[cfg(test)]
mod tests;

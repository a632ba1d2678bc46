//! A conversation to play: segments in, ended connections and stream bytes out.

use crate::config::Config;
use crate::decode::{Address, Segment, Tcp, Transport, Tunnel, mapped};
use crate::flow::{Chunk, Direction, EndReason, Flow, FlowTable, Observer, conn_state};
use crate::packet::Nanos;

pub(super) const CLIENT: [u8; 4] = [192, 0, 2, 1];
pub(super) const SERVER: [u8; 4] = [198, 51, 100, 2];
pub(super) const MS: Nanos = 1_000_000;
pub(super) const SECOND: Nanos = 1_000_000_000;

/// What is left of a connection when it has ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) state: &'static str,
    pub(super) history: String,
    pub(super) reason: EndReason,
    pub(super) src: (Address, u16),
    pub(super) uid: String,
    pub(super) packets: (u64, u64),
    pub(super) retransmits: (u32, u32),
    pub(super) out_of_order: [u32; 2],
    pub(super) zero_windows: [u32; 2],
    pub(super) missed: [u64; 2],
    pub(super) rtt: (Nanos, Nanos),
}

/// Writes down all it is told.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) reads: bool,
    pub(super) ended: Vec<Ended>,
    pub(super) up: Vec<u8>,
    pub(super) down: Vec<u8>,
    pub(super) datagrams: Vec<u8>,
    pub(super) gaps: Vec<(Direction, u64)>,
    pub(super) chunks: u32,
    pub(super) opened: u32,
    pub(super) interim: u32,
}

impl Observer for Notes {
    fn listens(&self, _flow: &Flow) -> bool {
        self.reads
    }

    fn chunk(&mut self, _flow: &mut Flow, chunk: &Chunk<'_>) {
        self.chunks += 1;
        if chunk.gap > 0 {
            self.gaps.push((chunk.direction, chunk.gap));
        }
        match chunk.direction {
            Direction::Up => self.up.extend(chunk.data),
            Direction::Down => self.down.extend(chunk.data),
        }
    }

    fn datagram(&mut self, _flow: &mut Flow, _direction: Direction, segment: &Segment<'_>) {
        self.datagrams.extend(segment.payload);
    }

    fn opened(&mut self, _flow: &mut Flow) {
        self.opened += 1;
    }

    fn row(&mut self, _flow: &Flow) {
        self.interim += 1;
    }

    fn ended(&mut self, flow: &mut Flow, reason: EndReason) {
        self.ended.push(Ended {
            state: conn_state(flow),
            history: String::from_utf8(flow.history.to_vec()).unwrap(),
            reason,
            src: flow.ends().0,
            uid: flow.uid().to_string(),
            packets: (flow.up.packets, flow.down.packets),
            retransmits: (flow.up.retransmits, flow.down.retransmits),
            out_of_order: flow.extra().map_or([0; 2], |extra| extra.out_of_order),
            zero_windows: flow.extra().map_or([0; 2], |extra| extra.zero_windows),
            missed: flow.extra().map_or([0; 2], |extra| extra.missed),
            rtt: (flow.rtt_client, flow.rtt_server),
        });
    }
}

/// A table, its observer and a clock that moves a millisecond a segment.
pub(super) struct Play {
    pub(super) table: FlowTable,
    pub(super) notes: Notes,
    pub(super) now: Nanos,
}

impl Play {
    pub(super) fn new() -> Self {
        Self::with(&Config::default(), false)
    }

    pub(super) fn reading() -> Self {
        Self::with(&Config::default(), true)
    }

    pub(super) fn with(config: &Config, reads: bool) -> Self {
        let notes = Notes { reads, ..Notes::default() };
        Self { table: FlowTable::new(config), notes, now: SECOND }
    }

    /// A TCP segment from the client.
    pub(super) fn up(&mut self, flags: &str, seq: u32, ack: u32, payload: &[u8]) -> &mut Self {
        self.segment(&tcp(CLIENT, 40000, SERVER, 80, flags, seq, ack, payload))
    }

    /// A TCP segment from the server.
    pub(super) fn down(&mut self, flags: &str, seq: u32, ack: u32, payload: &[u8]) -> &mut Self {
        self.segment(&tcp(SERVER, 80, CLIENT, 40000, flags, seq, ack, payload))
    }

    /// SYN, SYN-ACK, ACK; both streams start after 100.
    pub(super) fn handshake(&mut self) -> &mut Self {
        self.up("S", 100, 0, b"").down("SA", 100, 101, b"").up("A", 101, 101, b"")
    }

    pub(super) fn segment(&mut self, segment: &Segment<'_>) -> &mut Self {
        let segment = Segment { ts: self.now, ..segment.clone() };
        let place = self.table.place(&segment);
        self.table.segment(&segment, &place, None, &mut self.notes);
        self.now = self.now.saturating_add(MS);
        self
    }

    pub(super) fn wait(&mut self, span: Nanos) -> &mut Self {
        self.now += span;
        self.table.advance(self.now, &mut self.notes);
        self
    }

    pub(super) fn end(&mut self) -> Vec<Ended> {
        self.table.finish(&mut self.notes);
        std::mem::take(&mut self.notes.ended)
    }

    /// The only connection there was.
    pub(super) fn only(&mut self) -> Ended {
        let ended = self.end();
        assert_eq!(ended.len(), 1, "{ended:?}");
        ended[0].clone()
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn tcp<'a>(
    src: [u8; 4],
    src_port: u16,
    dst: [u8; 4],
    dst_port: u16,
    flags: &str,
    seq: u32,
    ack: u32,
    payload: &'a [u8],
) -> Segment<'a> {
    let bit = |letter| 1_u8 << "FSRPAUEC".find(letter).unwrap();
    // A `0` among the flags closes the window.
    let window = if flags.contains('0') { 0 } else { 1000 };
    let flags = flags.chars().filter(|&letter| letter != '0').map(bit).sum();
    let transport = Transport::Tcp(Tcp { seq, ack, flags, window });
    Segment { transport, ..datagram(6, src, src_port, dst, dst_port, payload) }
}

pub(super) fn datagram(
    proto: u8,
    src: [u8; 4],
    src_port: u16,
    dst: [u8; 4],
    dst_port: u16,
    payload: &[u8],
) -> Segment<'_> {
    Segment {
        ts: 0,
        iface: 0,
        vlan: 0,
        src: mapped(src),
        dst: mapped(dst),
        src_port,
        dst_port,
        proto,
        ttl: 64,
        tunnel: Tunnel::None,
        packets: 1,
        ip_bytes: 40 + payload.len() as u32,
        payload_len: payload.len() as u32,
        payload,
        transport: match proto {
            17 => Transport::Udp,
            1 | 58 => Transport::Icmp { id: 1, seq: 1 },
            _ => Transport::Other,
        },
        checksum_ok: true,
    }
}

//! Everything joined: packets in, batches of rows out.

mod counters;

pub use counters::EngineStats;

use crate::capture::{Interface, SourceStats};
use crate::config::Config;
use crate::decode::{Arp, Decoded, Decoder, Fragment, Segment, Transport};
use crate::flow::{
    Chunk, Direction, EndReason, Flow, FlowTable, Observed, Observer, Place, Slot, conn_row,
    packet_row,
};
use crate::health::Health;
use crate::packet::{BATCH, Nanos, PacketBatch};
use crate::protocols::Protocols;
use crate::protocols::icmp::{Message, Quoted};
use crate::tables::conn::ConnTable;
use crate::tables::health::HealthTable;
use crate::tables::packet::PacketTable;
use crate::tables::{Batch, Table};

/// Rows of a table that make a batch worth handing on.
const BATCH_ROWS: usize = 8192;

/// Connections that one step of the end makes rows of.
const FINISHED_AT_ONCE: usize = 256;

/// Fragmented packets within fragmented packets, at most.
const MAX_NESTING: u8 = 4;

/// Turns packets into rows. Deterministic: the same packets give the same rows.
pub struct Engine {
    config: Config,
    decoder: Decoder,
    flows: FlowTable,
    health: Health,
    rows: Rows,
    packets_wanted: bool,
    dropped_queue: u64,
    interim_at: Option<Nanos>,
    health_at: Option<Nanos>,
    /// Room for a batch's places, kept between batches.
    places: Vec<Option<Place>>,
    ready: Vec<Batch>,
}

/// The tables being filled.
struct Rows {
    sensor: String,
    interfaces: Vec<Interface>,
    /// Whether anybody asks what is said.
    listens: bool,
    opened: bool,
    connections: u64,
    protocols: Protocols,
    conn: ConnTable,
    packet: PacketTable,
    health: HealthTable,
}

impl Observer for Rows {
    #[inline]
    fn listens(&self, flow: &Flow) -> bool {
        self.listens && !flow.deaf
    }

    fn chunk(&mut self, flow: &mut Flow, chunk: &Chunk<'_>) {
        let observed = Observed { sensor: &self.sensor, interfaces: &self.interfaces };
        self.protocols.stream(flow, chunk, observed);
    }

    fn datagram(&mut self, flow: &mut Flow, direction: Direction, segment: &Segment<'_>) {
        let observed = Observed { sensor: &self.sensor, interfaces: &self.interfaces };
        let chunk = Chunk { direction, ts: segment.ts, gap: 0, data: segment.payload };
        let cut = (segment.payload.len() as u64) < u64::from(segment.payload_len);
        self.protocols.datagram(flow, &chunk, cut, observed);
    }

    fn opened(&mut self, flow: &mut Flow) {
        self.connections += 1;
        self.protocols.opened(flow);
        if self.opened {
            self.row(flow);
        }
    }

    fn row(&mut self, flow: &Flow) {
        let observed = Observed { sensor: &self.sensor, interfaces: &self.interfaces };
        conn_row(&mut self.conn, flow, None, &observed);
    }

    fn ended(&mut self, flow: &mut Flow, reason: EndReason) {
        let observed = Observed { sensor: &self.sensor, interfaces: &self.interfaces };
        self.protocols.end(flow, observed);
        conn_row(&mut self.conn, flow, Some(reason), &observed);
    }
}

impl Rows {
    fn new(config: &Config) -> Self {
        let mut rows = Self {
            sensor: config.sensor.clone(),
            interfaces: Vec::new(),
            listens: config.listens(),
            opened: config.opened,
            connections: 0,
            protocols: Protocols::new(config.protocols),
            conn: ConnTable::default(),
            packet: PacketTable::default(),
            health: HealthTable::default(),
        };
        rows.conn.switch(config.fills(ConnTable::NAME));
        rows.packet.switch(config.fills(PacketTable::NAME));
        rows.protocols.rows.keep_only(|name| config.fills(name));
        rows
    }
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self {
            decoder: Decoder::new(&config),
            flows: FlowTable::new(&config),
            health: Health::default(),
            rows: Rows::new(&config),
            dropped_queue: 0,
            interim_at: None,
            health_at: None,
            places: Vec::new(),
            ready: Vec::new(),
            packets_wanted: config.fills(PacketTable::NAME),
            config,
        }
    }

    /// Call when the source announces an interface.
    pub fn interface(&mut self, interface: Interface) {
        self.rows.interfaces.push(interface);
        self.health.interface();
    }

    /// Call with every batch the source yields. Cannot fail: bad bytes are counters.
    pub fn packets(&mut self, batch: &PacketBatch<'_>) {
        let mut decoded = Vec::with_capacity(BATCH + BATCH / 4);
        for packet in batch {
            self.health.packet(packet);
            self.decoder.decode(packet, &mut decoded);
        }
        self.follow(&decoded, None, 0);
        if let Some(last) = batch.last() {
            self.decoder.expire(last.ts);
            self.interim(last.ts);
        }
        self.gather(BATCH_ROWS);
    }

    /// Call when time has passed without packets (live), so that silent connections end.
    pub fn advance(&mut self, now: Nanos) {
        self.flows.advance(now, &mut self.rows);
        self.decoder.expire(now);
        self.interim(now);
        self.gather(BATCH_ROWS);
    }

    /// Call with rows that were drained but could not be handed on.
    pub fn lost(&mut self, rows: u64) {
        self.dropped_queue += rows;
    }

    /// Call once when the source has ended: every open connection becomes a row.
    pub fn finish(&mut self, stats: &SourceStats) {
        while self.finish_some(stats) {}
    }

    /// The same for some connections at a time, so that not all their rows lie in memory at once;
    /// whether it is to be called again.
    pub fn finish_some(&mut self, stats: &SourceStats) -> bool {
        if self.flows.finish_some(FINISHED_AT_ONCE, &mut self.rows) {
            self.gather(BATCH_ROWS);
            return true;
        }
        self.decoder.finish();
        let last = self.health.span().map_or(0, |(_, last)| last);
        self.report(last, stats);
        self.gather(1);
        false
    }

    /// Rows made since the last call, in batches; few rows are held back unless `all`.
    pub fn drain(&mut self, all: bool) -> Vec<Batch> {
        if all {
            self.gather(1);
        }
        std::mem::take(&mut self.ready)
    }

    /// Puts segments to their connections, the first tunnelled ones under `carrier`: looks all
    /// places up first, so that the memory of many is on its way at once.
    fn follow(&mut self, decoded: &[Decoded<'_>], carrier: Option<Slot>, nesting: u8) {
        let place = |item: &Decoded<'_>| match item {
            Decoded::Segment(segment) => Some(self.flows.place(segment)),
            Decoded::Fragment(_) | Decoded::Arp(_) => None,
        };
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        places.extend(decoded.iter().map(place));
        let touched = places.iter().flatten().fold(0, |sum, place| sum ^ self.flows.fetch(place));
        std::hint::black_box(touched);
        let mut outer = carrier;
        for (item, place) in decoded.iter().zip(&places) {
            match (item, place) {
                (Decoded::Segment(segment), Some(place)) => {
                    let carrier = outer.filter(|_| segment.is_inner());
                    let slot = self.flows.segment(segment, place, carrier, &mut self.rows);
                    self.icmp(segment, place, slot);
                    self.packet(segment, slot);
                    outer = Some(slot);
                }
                (Decoded::Fragment(fragment), _) => self.fragment(fragment, outer, nesting),
                (Decoded::Arp(arp), _) => self.arp(arp),
                _ => {}
            }
        }
        self.places = places;
    }

    fn fragment(&mut self, fragment: &Fragment<'_>, carrier: Option<Slot>, nesting: u8) {
        if nesting == MAX_NESTING {
            return self.decoder.too_deep(fragment.head.iface);
        }
        let Some(datagram) = self.decoder.fragment(fragment) else {
            return;
        };
        let mut decoded = Vec::new();
        self.decoder.datagram(&datagram, &mut decoded);
        self.follow(&decoded, carrier, nesting + 1);
    }

    #[cold]
    fn arp(&mut self, arp: &Arp) {
        if self.rows.listens {
            let observed =
                Observed { sensor: &self.rows.sensor, interfaces: &self.rows.interfaces };
            self.rows.protocols.arp(arp, observed);
        }
    }

    /// Hears an ICMP message, with the connection it speaks of if it is an error.
    #[inline]
    fn icmp(&mut self, segment: &Segment<'_>, place: &Place, slot: Slot) {
        if matches!(segment.transport, Transport::Icmp { .. }) && self.rows.listens {
            self.icmp_message(segment, place, slot);
        }
    }

    #[cold]
    fn icmp_message(&mut self, segment: &Segment<'_>, place: &Place, slot: Slot) {
        let quoted = Quoted::of(segment);
        let key = quoted.and_then(|quoted| quoted.key(segment.tunnel));
        let about = key.and_then(|key| self.flows.lookup(&key)).map(Flow::uid);
        if let Some((flow, _)) = self.flows.flow_mut(slot, place)
            && segment.checksum_ok
        {
            let observed =
                Observed { sensor: &self.rows.sensor, interfaces: &self.rows.interfaces };
            let message = Message { segment, quoted, about };
            self.rows.protocols.icmp(flow, &message, observed);
        }
    }

    fn packet(&mut self, segment: &Segment<'_>, slot: Slot) {
        if !self.packets_wanted {
            return;
        }
        let observed = Observed { sensor: &self.rows.sensor, interfaces: &self.rows.interfaces };
        if let Some(flow) = self.flows.flow(slot) {
            packet_row(&mut self.rows.packet, segment, flow, self.config.excerpt, &observed);
        }
    }

    fn interim(&mut self, now: Nanos) {
        let Some(interval) = self.config.interim else {
            return;
        };
        if now.saturating_sub(*self.interim_at.get_or_insert(now)) >= interval {
            self.interim_at = Some(now);
            self.flows.sweep(&mut self.rows);
        }
    }

    /// Makes batches of the tables that have at least `rows` rows.
    fn gather(&mut self, rows: usize) {
        // Who is who, before the connections that are named by it.
        if self.rows.conn.len() >= rows {
            self.rows.protocols.rows.host.hand_over(1, &mut self.ready);
        }
        self.rows.conn.hand_over(rows, &mut self.ready);
        self.rows.protocols.rows.gather(rows, &mut self.ready);
        self.rows.packet.hand_over(rows, &mut self.ready);
        self.rows.health.hand_over(rows, &mut self.ready);
    }
}

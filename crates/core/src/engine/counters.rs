//! What the engine counts: for its owner, and as rows of `health`.

use super::Engine;
use crate::capture::{Interface, SourceStats};
use crate::decode::{Class, DecodeStats};
use crate::health::{Interval, Kinds, Report, Traffic};
use crate::packet::Nanos;

/// What has been seen and what was lost, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Packets given to the engine.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// The same of each interface, by its number.
    pub by_interface: Vec<(Interface, Traffic)>,
    /// Times of the earliest and the latest packet.
    pub span: Option<(Nanos, Nanos)>,
    /// Connections open now.
    pub flows: u32,
    /// Connections seen so far.
    pub connections: u64,
    /// Connections ended because the table was full.
    pub dropped_table: u64,
    /// Rows dropped because their reader was late.
    pub dropped_queue: u64,
    /// What is broken or cut off and could not be decoded to the end, by kind.
    pub malformed: Kinds,
    /// What holds no IP, by kind.
    pub not_ip: Kinds,
}

impl Engine {
    /// Call now and then with the source's counters (live): writes `health` rows when an
    /// interval is over.
    pub fn source(&mut self, now: Nanos, stats: &SourceStats) {
        let Some(interval) = self.config.health else {
            return;
        };
        if now.saturating_sub(*self.health_at.get_or_insert(now)) >= interval {
            self.health_at = Some(now);
            self.report(now, stats);
        }
    }

    /// Counters since the start.
    pub fn stats(&self) -> EngineStats {
        let (packets, bytes) = self.health.total();
        let table = self.flows.stats();
        EngineStats {
            packets,
            bytes,
            by_interface: self.by_interface(),
            span: self.health.span(),
            flows: table.flows,
            connections: self.rows.connections,
            dropped_table: table.evicted,
            dropped_queue: self.dropped_queue,
            malformed: self.sum(Said::Malformed).into_iter().chain(self.streams()).collect(),
            not_ip: self.sum(Said::NotIp),
        }
    }

    /// Writes `health` rows of the interval that ends now.
    pub(super) fn report(&mut self, ts: Nanos, source: &SourceStats) {
        let stats = self.flows.stats();
        let whole = Report {
            queue: self.dropped_queue,
            table: stats.evicted,
            malformed: self.streams(),
            ..Report::default()
        };
        let broken = |iface: usize| Said::Malformed.of(self.decoder.stats(iface as u16)).collect();
        let others = |iface: usize| Said::NotIp.of(self.decoder.stats(iface as u16)).collect();
        let interval = Interval {
            ts,
            sensor: &self.rows.sensor,
            interfaces: &self.rows.interfaces,
            source,
            malformed: &broken,
            not_ip: &others,
            whole: &whole,
        };
        self.health.write(&interval, &mut self.rows.health);
    }

    fn by_interface(&self) -> Vec<(Interface, Traffic)> {
        let traffic = self.health.by_interface().iter().copied();
        self.rows.interfaces.iter().cloned().zip(traffic).collect()
    }

    /// What is said of all interfaces together.
    fn sum(&self, said: Said) -> Kinds {
        let mut sum = std::collections::BTreeMap::new();
        for iface in 0..self.rows.interfaces.len() {
            for (kind, count) in said.of(self.decoder.stats(iface as u16)) {
                *sum.entry(kind).or_insert(0) += count;
            }
        }
        sum.into_iter().collect()
    }

    /// What went wrong in streams, and what was said against a protocol's rules.
    fn streams(&self) -> Kinds {
        let stats = self.flows.stats();
        let kinds = [
            ("stream overlap conflicting bytes", stats.conflicting_bytes),
            ("stream buffers full", stats.buffers_exhausted),
        ];
        let occurred = kinds.into_iter().filter(|(_, count)| *count > 0);
        let streams = occurred.map(|(kind, count)| (kind.to_owned(), count));
        streams.chain(self.rows.protocols.violations()).collect()
    }
}

/// What is said of packets that hold no connection.
#[derive(Clone, Copy, PartialEq)]
enum Said {
    /// Broken, or cut off.
    Malformed,
    /// Whole, but no IP, or not in a way that we know.
    NotIp,
}

impl Said {
    fn of(self, stats: &DecodeStats) -> impl Iterator<Item = (String, u64)> {
        let said = |class| if class == Class::Unknown { Self::NotIp } else { Self::Malformed };
        let kinds = stats.classified().filter(move |&(_, class, _)| said(class) == self);
        kinds.map(|(kind, _, count)| (kind.into_owned(), count))
    }
}

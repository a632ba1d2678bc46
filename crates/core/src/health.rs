//! What was seen, interface by interface, and what could not be: the rows of `health`.

use crate::capture::{Interface, SourceStats};
use crate::packet::{Nanos, Packet};
use crate::tables::health::{HealthRow, HealthTable};

/// Counts by kind, as the decoder and the flow table give them.
pub type Kinds = Vec<(String, u64)>;

/// Counters of packets as they come, and how much of them was reported.
#[derive(Default)]
pub struct Health {
    seen: Vec<Traffic>,
    reported: Vec<Report>,
    whole: Report,
    first: Option<Nanos>,
    last: Option<Nanos>,
}

/// What came by one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
}

/// The counters of one source, since its start.
#[derive(Clone, Default)]
pub struct Report {
    /// Packets seen.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Packets the kernel dropped.
    pub kernel: u64,
    /// Rows dropped on their way to the reader.
    pub queue: u64,
    /// Connections evicted.
    pub table: u64,
    /// Packets seen on another interface as well.
    pub duplicates: u64,
    /// What was not decoded to the end.
    pub malformed: Kinds,
    /// What holds no IP.
    pub not_ip: Kinds,
}

impl Health {
    /// One more interface.
    pub fn interface(&mut self) {
        self.seen.push(Traffic::default());
        self.reported.push(Report::default());
    }

    /// Counts a packet.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) {
        if let Some(traffic) = self.seen.get_mut(usize::from(packet.iface)) {
            traffic.packets += 1;
            traffic.bytes += u64::from(packet.wire_len);
        }
        if self.last.is_none_or(|last| packet.ts > last) {
            self.last = Some(packet.ts);
        }
        if self.first.is_none_or(|first| packet.ts < first) {
            self.first = Some(packet.ts);
        }
    }

    /// Packets and bytes of all interfaces.
    pub fn total(&self) -> (u64, u64) {
        let add =
            |sum: (u64, u64), traffic: &Traffic| (sum.0 + traffic.packets, sum.1 + traffic.bytes);
        self.seen.iter().fold((0, 0), add)
    }

    /// Packets and bytes of each interface, by its number.
    pub fn by_interface(&self) -> &[Traffic] {
        &self.seen
    }

    /// Times of the earliest and the latest packet.
    pub fn span(&self) -> Option<(Nanos, Nanos)> {
        Some((self.first?, self.last?))
    }

    /// Writes what has been added since the last call: a row for each interface that has
    /// anything to say, and one for the engine as a whole if it lost anything.
    pub fn write(&mut self, report: &Interval<'_>, table: &mut HealthTable) {
        let counted = self.seen.iter().zip(&mut self.reported).zip(report.interfaces).enumerate();
        for (index, ((traffic, reported), interface)) in counted {
            let now = Report {
                packets: traffic.packets,
                bytes: traffic.bytes,
                kernel: report.source.kernel_dropped.get(index).copied().unwrap_or(0),
                duplicates: report.source.duplicates.get(index).copied().unwrap_or(0),
                malformed: (report.malformed)(index),
                not_ip: (report.not_ip)(index),
                ..Report::default()
            };
            report.row(&interface.name, &now, reported, table);
        }
        report.row("", report.whole, &mut self.whole, table);
    }
}

/// One interval's end: when, and the counters as they stand.
pub struct Interval<'a> {
    /// Its time.
    pub ts: Nanos,
    /// Name of the observer.
    pub sensor: &'a str,
    /// The source's interfaces.
    pub interfaces: &'a [Interface],
    /// What the source counts.
    pub source: &'a SourceStats,
    /// What was not decoded, by interface.
    pub malformed: &'a dyn Fn(usize) -> Kinds,
    /// What holds no IP, by interface.
    pub not_ip: &'a dyn Fn(usize) -> Kinds,
    /// What belongs to no interface.
    pub whole: &'a Report,
}

impl Interval<'_> {
    fn row(&self, source: &str, now: &Report, reported: &mut Report, table: &mut HealthTable) {
        let malformed = grown(&now.malformed, &reported.malformed);
        let not_ip = grown(&now.not_ip, &reported.not_ip);
        let row = HealthRow {
            ts: self.ts,
            sensor: self.sensor,
            source,
            packets: now.packets - reported.packets,
            bytes: now.bytes - reported.bytes,
            dropped_kernel: now.kernel.saturating_sub(reported.kernel),
            dropped_queue: now.queue.saturating_sub(reported.queue),
            dropped_table: now.table.saturating_sub(reported.table),
            duplicates: now.duplicates.saturating_sub(reported.duplicates),
            malformed: &malformed,
            not_ip: &not_ip,
        };
        let silent = malformed.is_empty()
            && [
                row.packets,
                row.dropped_kernel,
                row.dropped_queue,
                row.dropped_table,
                row.duplicates,
            ] == [0; 5];
        if !silent {
            table.push(&row);
        }
        *reported = now.clone();
    }
}

/// What has been added to each kind.
fn grown<'a>(now: &'a Kinds, before: &Kinds) -> Vec<(&'a str, u64)> {
    let was =
        |kind: &str| before.iter().find(|(name, _)| name == kind).map_or(0, |(_, count)| *count);
    let grown = now.iter().map(|(name, count)| (name.as_str(), count.saturating_sub(was(name))));
    grown.filter(|(_, count)| *count > 0).collect()
}

//! What the engine can be told; every number has a default and a reason.

use crate::packet::Nanos;
use crate::protocols::Settings;

const SECOND: Nanos = 1_000_000_000;

/// Settings of the engine, fixed for its life.
// Switches that have nothing to do with each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of this observer, written to every row.
    pub sensor: String,
    /// The flow table's bound.
    pub max_flows: u32,
    /// Bytes of out-of-order data kept for one direction of one stream.
    pub max_stream_buffer: usize,
    /// The same for all streams together.
    pub max_buffer_total: usize,
    /// Bytes kept for unfinished IP fragments, all together.
    pub max_fragment_bytes: usize,
    /// Whether wrong IP, TCP and UDP checksums make a packet invalid. Off by default,
    /// because offloading network cards leave them unset on the sender.
    pub verify_checksums: bool,
    /// How often a live connection gives an interim row; `None` for never (files).
    pub interim: Option<Nanos>,
    /// Whether a new connection gives a row at once, before it has ended.
    pub opened: bool,
    /// How often a health row is made; `None` for one at the end (files).
    pub health: Option<Nanos>,
    /// The tables that are filled, by name. Connections are followed and counted in any case.
    pub tables: Vec<&'static str>,
    /// Bytes of payload kept per row of `packet`.
    pub excerpt: usize,
    /// Inactivity timeouts.
    pub timeouts: Timeouts,
    /// What parsers may keep.
    pub protocols: Settings,
}

impl Config {
    /// Whether a table is filled.
    pub fn fills(&self, table: &str) -> bool {
        self.tables.contains(&table)
    }

    /// Whether any table needs to know what is said.
    pub fn listens(&self) -> bool {
        self.tables.iter().any(|table| !matches!(*table, "packet" | "health"))
    }
}

/// All tables but `packet`, which has a row for each packet and is filled on request.
pub fn usual_tables() -> Vec<&'static str> {
    let all = crate::tables::all().into_iter().map(|info| info.name);
    all.filter(|name| *name != "packet").collect()
}

/// When a silent connection counts as over. The defaults are Zeek's published ones.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// TCP, established or seen in mid-stream.
    pub tcp: Nanos,
    /// TCP, a SYN without an answer.
    pub tcp_attempt: Nanos,
    /// TCP, both sides have sent FIN.
    pub tcp_close: Nanos,
    /// TCP, after a RST.
    pub tcp_reset: Nanos,
    /// UDP.
    pub udp: Nanos,
    /// ICMP and `ICMPv6`.
    pub icmp: Nanos,
    /// Every other IP protocol.
    pub other: Nanos,
    /// Unfinished IP fragments (RFC 1122 asks for 60 to 120 s, Linux waits 30 s).
    pub fragment: Nanos,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sensor: String::new(),
            max_flows: 1_000_000,
            max_stream_buffer: 1 << 20,
            max_buffer_total: 64 << 20,
            max_fragment_bytes: 4 << 20,
            verify_checksums: false,
            interim: None,
            opened: false,
            health: None,
            tables: usual_tables(),
            excerpt: 0,
            timeouts: Timeouts::default(),
            protocols: Settings::default(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp: 300 * SECOND,
            tcp_attempt: 5 * SECOND,
            tcp_close: 5 * SECOND,
            tcp_reset: SECOND / 10,
            udp: 60 * SECOND,
            icmp: 60 * SECOND,
            other: 60 * SECOND,
            fragment: 30 * SECOND,
        }
    }
}

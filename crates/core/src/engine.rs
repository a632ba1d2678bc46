//! Everything joined: packets in, batches of rows out.

use crate::capture::{Interface, SourceStats};
use crate::config::Config;
use crate::packet::{Nanos, PacketBatch};
use crate::tables::Batch;

/// Turns packets into rows. Deterministic: the same packets give the same rows.
pub struct Engine {
    config: Config,
    interfaces: Vec<Interface>,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            interfaces: Vec::new(),
        }
    }

    /// Call when the source announces an interface.
    pub fn interface(&mut self, interface: Interface) {
        self.interfaces.push(interface);
    }

    /// Call with every batch the source yields. Cannot fail: bad bytes are counters.
    pub fn packets(&mut self, _batch: &PacketBatch<'_>) {
        let _ = &self.config;
    }

    /// Call when time has passed without packets (live), so that silent connections end.
    pub fn advance(&mut self, _now: Nanos) {}

    /// Call once when the source has ended: every open connection becomes a row.
    pub fn finish(&mut self, _source: &SourceStats) {}

    /// Rows made since the last call, in batches; small ones are held back unless `all`.
    pub fn drain(&mut self, _all: bool) -> Vec<Batch> {
        Vec::new()
    }
}

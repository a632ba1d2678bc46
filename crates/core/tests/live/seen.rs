//! Reads a live source until a condition holds, and keeps what came.

use std::time::Duration;

use crate::net::drop_privileges;

use tidegate_core::capture::live::{LiveConfig, LiveSource};
use tidegate_core::capture::{Polled, Source, SourceStats};
use tidegate_core::{Error, LinkType};

/// A packet, copied.
#[derive(Debug)]
pub struct Seen {
    pub ts: i64,
    pub iface: u16,
    pub link: LinkType,
    pub wire_len: u32,
    pub data: Vec<u8>,
}

/// A source and what it has given so far.
pub struct Watch {
    pub source: LiveSource,
    pub names: Vec<String>,
    pub packets: Vec<Seen>,
    pub ended: bool,
}

impl Watch {
    pub fn new(interfaces: &[&str], change: impl FnOnce(&mut LiveConfig)) -> Self {
        let mut config = config(interfaces);
        change(&mut config);
        Self::of(LiveSource::open(&config).unwrap())
    }

    pub fn of(source: LiveSource) -> Self {
        Self { source, names: Vec::new(), packets: Vec::new(), ended: false }
    }

    /// Polls until `done`, or until far more time has passed than that takes.
    pub fn until(&mut self, done: impl Fn(&Self) -> bool) {
        for _ in 0..400 {
            if done(self) {
                return;
            }
            self.step();
        }
        panic!("after {} packets: {:?}", self.packets.len(), self.source.stats());
    }

    /// Reads what is there already: until nothing came for longer than a block is kept open.
    pub fn rest(&mut self) {
        let mut idle = 0;
        while idle < 4 && !self.ended {
            idle = if self.step() { 0 } else { idle + 1 };
        }
    }

    /// One poll; false if nothing came.
    pub fn step(&mut self) -> bool {
        match self.source.poll(Duration::from_millis(25)).unwrap() {
            Polled::Interface(interface) => self.names.push(interface.name),
            Polled::Packets(batch) => {
                assert!(!batch.is_empty());
                self.packets.extend(batch.iter().map(|p| Seen {
                    ts: p.ts,
                    iface: p.iface,
                    link: p.link,
                    wire_len: p.wire_len,
                    data: p.data.to_vec(),
                }));
            }
            Polled::Idle => return false,
            Polled::End => self.ended = true,
        }
        true
    }

    pub fn stats(&mut self) -> SourceStats {
        self.source.stats()
    }
}

pub fn config(interfaces: &[&str]) -> LiveConfig {
    let interfaces = interfaces.iter().map(|&name| name.to_owned()).collect();
    LiveConfig { interfaces, ring_bytes: 4 << 20, ..LiveConfig::default() }
}

/// Opens what cannot be opened, in a namespace that has `right`, and reads what is said of it.
/// Gives up this thread's privileges.
pub fn refuses_in_clear_words(open: impl Fn(&LiveConfig) -> Result<LiveSource, Error>) {
    let said = |config: &LiveConfig| open(config).err().unwrap().to_string();
    assert_eq!(said(&config(&["eth7"])), "eth7: no such interface; there are: lo, right");
    let mut filtered = config(&["right"]);
    filtered.filter = Some("tcp prot 80".to_owned());
    assert!(said(&filtered).starts_with("filter \"tcp prot 80\": "));
    drop_privileges();
    for expression in [None, Some("tcp".to_owned())] {
        filtered.filter = expression;
        assert!(said(&filtered).starts_with("right: not permitted; run as root"));
    }
}

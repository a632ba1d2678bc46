//! Reads a live source until a condition holds, and keeps what came.

use std::time::{Duration, Instant};

use crate::net::{Net, SEND, drop_privileges};

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

    /// Polls until a warning that begins so is there, and returns the latest one.
    pub fn until_said(&mut self, start: &str) -> String {
        for _ in 0..400 {
            if !self.said(start).is_empty() {
                return self.said(start);
            }
            self.step();
        }
        panic!("{start} is not said: {:?}", self.source.stats());
    }

    /// The latest warning that begins so; empty if there is none.
    pub fn said(&mut self, start: &str) -> String {
        let mut warnings = self.stats().warnings.into_iter();
        warnings.rfind(|line| line.starts_with(start)).unwrap_or_default()
    }

    /// Reads what is there already: until nothing came for longer than a block is kept open.
    /// By time, as a poll that met nothing but duplicates is idle too, and at once.
    pub fn rest(&mut self) {
        let mut last = Instant::now();
        while last.elapsed() < Duration::from_millis(100) && !self.ended {
            if self.step() {
                last = Instant::now();
            }
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

/// A change of the configuration: this filter.
pub fn filter(expression: &str) -> impl FnOnce(&mut LiveConfig) {
    let expression = expression.to_owned();
    move |config| config.filter = Some(expression)
}

/// A watch with the smallest buffer there is, and a transfer from `a` to `b` larger than it.
pub fn counts_what_is_not_read_in_time(a: &Net, b: &Net, mut watch: Watch) {
    let before = b.packets("right");
    b.exec("iperf3 -s -D -1");
    while !b.exec("ss -Hltn").contains(":5201") {}
    a.exec("iperf3 -c 10.9.0.2 -n 20M");
    watch.rest();
    let dropped = watch.stats().kernel_dropped[0];
    assert!(dropped > 0);
    assert_eq!(watch.packets.len() as u64 + dropped, b.packets("right") - before);
    assert_eq!(watch.stats().kernel_dropped, [dropped]);
    assert!(watch.stats().warnings[0].contains("more than the 0 KiB allowed"));
}

/// Both ends of a veth pair, each packet repeated a hundred times.
pub fn counts_a_pair_once(watch: impl FnOnce() -> Watch + Send) {
    let Some(net) = Net::new() else { return };
    net.ip("link add one type veth peer name two");
    net.ip("link set one up");
    net.ip("link set two up");
    net.enter(|| {
        let mut watch = watch();
        // Fewer than a veth queues (net.core.netdev_max_backlog, 1000): what it drops nobody sees.
        net.python(&format!("{SEND}\nsend('one', [frame(tcp(80, n // 100)) for n in range(800)])"));
        watch.until(|w| w.packets.len() == 800);
        watch.rest();
        assert_eq!(watch.packets.len(), 800);
        assert_eq!(watch.stats().duplicates.iter().sum::<u64>(), 800);
    });
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

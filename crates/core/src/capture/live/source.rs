//! Live interfaces: one ring each, read as one source.
//!
//! Packets of all rings come merged by time as far as the kernel has handed them over: it
//! does so block by block, so packets of two interfaces may change places within the time a
//! block is kept open (20 ms, twice that at most).

use std::collections::{HashSet, VecDeque};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

pub use super::wake::Waker;

use super::afpacket::{Frame, Geometry, RETIRE_MS, socket};
use super::config::LiveConfig;
use super::dedup::Dedup;
use super::port::Port;
use super::wake::Wakeup;
use crate::capture::interfaces::{InterfaceInfo, interfaces};
use crate::capture::{Interface, Polled, Source, SourceStats};
use crate::error::Error;
use crate::packet::{BATCH, Nanos, Packet, PacketBatch};

/// How long the kernel may keep a packet before it hands it over. Who stops reads on for this
/// long, or loses what was seen last.
pub const LINGER: Duration = Duration::from_millis(RETIRE_MS as u64 * 2 + 10);

/// Live interfaces as a source.
pub struct LiveSource {
    ports: Vec<Port>,
    /// How many of them were announced.
    announced: usize,
    /// Only where two interfaces can show the same packet.
    dedup: Option<Dedup>,
    waker: Waker,
    wakeup: Wakeup,
    warnings: Vec<String>,
}

/// A frame and the port it came by.
type Pick = (u16, Frame);

impl LiveSource {
    /// Opens all interfaces of `config`. An interface that is down or has no address is
    /// fine; one that does not exist, or that we may not open, is an error.
    pub fn open(config: &LiveConfig) -> Result<Self, Error> {
        let chosen = choose(config, interfaces()?)?;
        let (waker, wakeup) = Wakeup::new()?;
        let mut source = Self {
            ports: Vec::new(),
            announced: 0,
            dedup: (config.dedup && chosen.len() > 1).then(Dedup::default),
            waker,
            wakeup,
            warnings: over_budget(config, chosen.len()).into_iter().collect(),
        };
        source.open_ports(config, chosen)?;
        Ok(source)
    }

    /// Opens what was chosen. Where a filter has no meaning for one of several interfaces
    /// (`ether host` on a tunnel), that one is left out.
    fn open_ports(&mut self, config: &LiveConfig, chosen: Vec<InterfaceInfo>) -> Result<(), Error> {
        let geometry = Geometry::share(config.ring_bytes, chosen.len());
        let mut refused = None;
        for interface in chosen {
            let name = interface.name.clone();
            match Port::open(config, interface, geometry) {
                Ok(port) => self.ports.push(port),
                Err(Error::Filter { filter, reason }) => {
                    self.warnings
                        .push(format!("{name}: not watched, the filter fails: {reason}"));
                    refused = Some(Error::Filter { filter, reason });
                }
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(error) if self.ports.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Names of the interfaces, in the order of their numbers in packets.
    pub fn interfaces(&self) -> Vec<String> {
        self.ports.iter().map(|port| port.name.clone()).collect()
    }

    /// Something to end a wait in `poll` with, from any thread.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Packets whose copies could not be recognised because the table was full.
    pub fn dedup_evicted(&self) -> u64 {
        self.dedup.as_ref().map_or(0, Dedup::evicted)
    }

    /// Takes up to a batch of frames, oldest first, and says whether there were any at all
    /// (those left out included).
    fn pick(&mut self) -> (ArrayVec<Pick, BATCH>, bool) {
        let mut picks = ArrayVec::new();
        let mut seen = false;
        let mut ready: Vec<u16> = Vec::new();
        for (number, port) in (0..).zip(&mut self.ports) {
            port.release();
            if port.next_ts().is_some() {
                ready.push(number);
            }
        }
        while let Some((first, until)) = self.earliest(&ready) {
            seen = true;
            self.take_run(first, until, &mut picks);
            if picks.is_full() {
                break;
            }
        }
        (picks, seen)
    }

    /// The port whose next packet is the oldest, and the time of the next port's.
    fn earliest(&mut self, ready: &[u16]) -> Option<(u16, Nanos)> {
        let mut first: Option<(u16, Nanos)> = None;
        let mut until = Nanos::MAX;
        for &number in ready {
            let Some(ts) = self
                .ports
                .get_mut(usize::from(number))
                .and_then(Port::next_ts)
            else {
                continue;
            };
            match first {
                Some((_, best)) if best <= ts => until = until.min(ts),
                _ => {
                    until = first.map_or(until, |(_, best)| until.min(best));
                    first = Some((number, ts));
                }
            }
        }
        first.map(|(number, _)| (number, until))
    }

    /// Takes frames of one port up to the time `until`.
    fn take_run(&mut self, number: u16, until: Nanos, picks: &mut ArrayVec<Pick, BATCH>) {
        let Some(port) = self.ports.get_mut(usize::from(number)) else {
            return;
        };
        while !picks.is_full() && port.next_ts().is_some_and(|ts| ts <= until) {
            if let Some(frame) = port.take(number, self.dedup.as_mut()) {
                picks.push((number, frame));
            }
        }
    }

    /// Waits for packets, then looks after ports that have lost their interface.
    fn wait(&mut self, timeout: Duration) -> Result<(), Error> {
        let timeout = self
            .ports
            .iter()
            .filter_map(Port::time_left)
            .fold(timeout, Duration::min);
        let mut fds: Vec<RawFd> = vec![self.wakeup.raw()];
        fds.extend(self.ports.iter().map(Port::fd));
        let failed = socket::wait(&fds, timeout)?;
        for (port, failed) in self.ports.iter_mut().zip(failed.into_iter().skip(1)) {
            self.warnings.extend(port.check(failed, Instant::now()));
        }
        Ok(())
    }

    fn batch(&self, picks: &[Pick]) -> PacketBatch<'_> {
        let packet = |&(iface, frame): &Pick| {
            let port = self.ports.get(usize::from(iface))?;
            let (link, data) = (port.link, port.bytes(&frame));
            Some(Packet {
                ts: frame.ts,
                iface,
                link,
                wire_len: frame.wire_len,
                data,
            })
        };
        picks.iter().filter_map(packet).collect()
    }

    fn announce(&mut self) -> Option<Interface> {
        let port = self.ports.get(self.announced)?;
        self.announced += 1;
        Some(Interface {
            name: port.name.clone(),
        })
    }
}

impl Source for LiveSource {
    /// `Idle` also after a wake, a signal, or packets that were all left out; `End` when every
    /// interface has gone.
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error> {
        if let Some(interface) = self.announce() {
            return Ok(Polled::Interface(interface));
        }
        let (mut picks, mut seen) = self.pick();
        if !seen {
            self.wait(timeout)?;
            if !self.wakeup.take() {
                (picks, seen) = self.pick();
            }
        }
        if !picks.is_empty() {
            return Ok(Polled::Packets(self.batch(&picks)));
        }
        let ended = !seen && self.ports.iter().all(Port::is_closed);
        Ok(if ended { Polled::End } else { Polled::Idle })
    }

    fn stats(&mut self) -> SourceStats {
        let mut warnings = self.warnings.clone();
        warnings.extend(
            self.ports
                .iter()
                .flat_map(|port| port.filter_warnings().to_vec()),
        );
        SourceStats {
            kernel_dropped: self.ports.iter_mut().map(Port::dropped).collect(),
            duplicates: self.ports.iter().map(|port| port.duplicates).collect(),
            warnings,
        }
    }
}

/// The interfaces that `config` names, each once.
fn choose(config: &LiveConfig, there: Vec<InterfaceInfo>) -> Result<Vec<InterfaceInfo>, Error> {
    let known = |name: &str| there.iter().any(|i| i.name == name);
    let all = config
        .interfaces
        .iter()
        .all(|name| name == "any" && !known("any"));
    for name in config.interfaces.iter().filter(|_| !all) {
        if !known(name) {
            let names: Vec<&str> = there.iter().map(|i| i.name.as_str()).collect();
            let reason = format!("no such interface; there are: {}", names.join(", "));
            return Err(Error::Interface {
                name: name.clone(),
                reason,
            });
        }
    }
    if all {
        return up(there);
    }
    let mut left: VecDeque<InterfaceInfo> = there.into();
    let mut given = HashSet::new();
    let wanted = config
        .interfaces
        .iter()
        .filter(|name| given.insert(name.as_str()));
    Ok(wanted
        .filter_map(|name| {
            left.iter()
                .position(|i| i.name == *name)
                .and_then(|at| left.remove(at))
        })
        .collect())
}

fn up(there: Vec<InterfaceInfo>) -> Result<Vec<InterfaceInfo>, Error> {
    let up: Vec<InterfaceInfo> = there.into_iter().filter(|i| i.up).collect();
    if up.is_empty() {
        let reason = "no network interface is up; name one to wait for it".to_owned();
        return Err(Error::Usage(reason));
    }
    Ok(up)
}

fn over_budget(config: &LiveConfig, interfaces: usize) -> Option<String> {
    let least = Geometry::MIN_BYTES * interfaces;
    (least > config.ring_bytes).then(|| {
        format!(
            "{interfaces} interfaces take {} KiB of kernel memory, more than the {} KiB allowed",
            least >> 10,
            config.ring_bytes >> 10
        )
    })
}

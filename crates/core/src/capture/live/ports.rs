//! Live interfaces read as one source.
//!
//! Packets of all interfaces come merged by time as far as the kernel has handed them over: it
//! does so block by block, so packets of two interfaces may change places within the time a
//! block is kept open ([`HOLD_MS`](super::tap::HOLD_MS), twice that at most).

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::choose::choose;
use super::config::LiveConfig;
use super::dedup::Dedup;
use super::tap::{Frame, Refused, Tap};
use super::wake::{Fd, Waker, Wakeup};
use crate::capture::interfaces::{InterfaceInfo, interfaces};
use crate::capture::{Interface, Polled, Source, SourceStats};
use crate::error::Error;
use crate::packet::{BATCH, Nanos, Packet, PacketBatch};

/// An interface that is watched.
struct Port<T> {
    name: String,
    duplicates: u64,
    tap: T,
}

/// The interfaces of a live source.
pub(super) struct Ports<T: Tap> {
    all: Vec<Port<T>>,
    /// How many of them were announced.
    announced: usize,
    /// Only where two interfaces can show the same packet.
    dedup: Option<Dedup>,
    wakeup: Wakeup,
    warnings: Vec<String>,
}

/// A frame and the port it came by.
type Pick<T> = (u16, Frame<<T as Tap>::Span>);

impl<T: Tap> Ports<T> {
    pub(super) fn open(config: &LiveConfig, way: &T::Way) -> Result<(Self, Waker), Error> {
        let chosen = choose(config, interfaces()?)?;
        let (waker, wakeup) = Wakeup::new()?;
        let mut ports = Self {
            all: Vec::new(),
            announced: 0,
            dedup: (config.dedup && chosen.len() > 1).then(Dedup::default),
            wakeup,
            warnings: over_budget::<T>(config, chosen.len()).into_iter().collect(),
        };
        ports.open_all(config, way, chosen)?;
        Ok((ports, waker))
    }

    /// Opens what was chosen. Where a filter has no meaning for one of several interfaces
    /// (`ether host` on a tunnel), that one is left out.
    fn open_all(
        &mut self,
        config: &LiveConfig,
        way: &T::Way,
        chosen: Vec<InterfaceInfo>,
    ) -> Result<(), Error> {
        let count = chosen.len();
        let mut refused = None;
        for interface in chosen {
            let name = interface.name.clone();
            match T::open(way, config, interface, count) {
                Ok(tap) => self.all.push(Port { name, duplicates: 0, tap }),
                Err(Refused::LeftOut(error)) => {
                    self.warnings.push(left_out(&name, &error));
                    refused = Some(error);
                }
                Err(Refused::Fatal(error)) => return Err(error),
            }
        }
        match refused {
            Some(error) if self.all.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.all.iter().map(|port| port.name.clone()).collect()
    }

    /// Takes up to a batch of frames, oldest first, and says whether there were any at all
    /// (those left out included).
    fn pick(&mut self) -> (ArrayVec<Pick<T>, BATCH>, bool) {
        let mut picks = ArrayVec::new();
        let mut seen = false;
        let mut ready: Vec<u16> = Vec::new();
        for (number, port) in (0..).zip(&mut self.all) {
            port.tap.release();
            if port.tap.next_ts().is_some() {
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
            let Some(ts) =
                self.all.get_mut(usize::from(number)).and_then(|port| port.tap.next_ts())
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
    fn take_run(&mut self, number: u16, until: Nanos, picks: &mut ArrayVec<Pick<T>, BATCH>) {
        let Some(port) = self.all.get_mut(usize::from(number)) else {
            return;
        };
        while !picks.is_full() && port.tap.next_ts().is_some_and(|ts| ts <= until) {
            if let Some(frame) = port.take(number, self.dedup.as_mut()) {
                picks.push((number, frame));
            }
        }
    }

    /// Waits for packets, then looks after ports that have lost their interface.
    fn wait(&mut self, timeout: Duration) -> Result<(), Error> {
        let now = Instant::now();
        let timeout =
            self.all.iter().filter_map(|port| port.tap.time_left(now)).fold(timeout, Duration::min);
        let fds: Vec<Option<Fd>> = self.all.iter().map(|port| port.tap.fd()).collect();
        let failed = self.wakeup.wait(&fds, timeout)?;
        for (port, failed) in self.all.iter_mut().zip(failed) {
            port.tap.check(failed, Instant::now());
        }
        Ok(())
    }

    fn batch(&self, picks: &[Pick<T>]) -> PacketBatch<'_> {
        let packet = |&(iface, frame): &Pick<T>| {
            let port = self.all.get(usize::from(iface))?;
            Some(Packet {
                ts: frame.ts,
                iface,
                link: port.tap.link(),
                wire_len: frame.wire_len,
                data: port.tap.bytes(frame.span),
            })
        };
        picks.iter().filter_map(packet).collect()
    }

    fn announce(&mut self) -> Option<Interface> {
        let port = self.all.get(self.announced)?;
        self.announced += 1;
        Some(Interface { name: port.name.clone() })
    }
}

impl<T: Tap> Port<T> {
    /// Takes the next frame; `None` for one that is left out.
    fn take(&mut self, number: u16, dedup: Option<&mut Dedup>) -> Option<Frame<T::Span>> {
        let frame = self.tap.take(number)?;
        if let Some(dedup) = dedup {
            let (link, data) = (self.tap.link(), self.tap.bytes(frame.span));
            if dedup.is_duplicate(number, frame.ts, link, data) {
                self.duplicates += 1;
                return None;
            }
        }
        Some(frame)
    }
}

impl<T: Tap> Source for Ports<T> {
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
        let ended = !seen && self.all.iter().all(|port| port.tap.is_closed());
        Ok(if ended { Polled::End } else { Polled::Idle })
    }

    fn stats(&mut self) -> SourceStats {
        let mut warnings = self.warnings.clone();
        warnings.extend(self.all.iter().flat_map(|port| port.tap.warnings()));
        let forgotten = self.dedup.as_ref().map_or(0, Dedup::evicted);
        if forgotten > 0 {
            let text = "copies seen on other interfaces may count twice, too many packets at once";
            warnings.push(format!("{text}; {forgotten} could not be told"));
        }
        SourceStats {
            kernel_dropped: self.all.iter_mut().map(|port| port.tap.dropped()).collect(),
            duplicates: self.all.iter().map(|port| port.duplicates).collect(),
            warnings,
        }
    }
}

fn left_out(name: &str, error: &Error) -> String {
    match error {
        Error::Filter { reason, .. } => {
            format!("{name}: not watched, the filter fails: {reason}")
        }
        Error::Interface { reason, .. } => format!("{name}: not watched: {reason}"),
        other => format!("{name}: not watched: {other}"),
    }
}

fn over_budget<T: Tap>(config: &LiveConfig, interfaces: usize) -> Option<String> {
    let least = T::LEAST_BYTES * interfaces;
    (least > config.ring_bytes).then(|| {
        format!(
            "{interfaces} interfaces take {} KiB of kernel memory, more than the {} KiB allowed",
            least >> 10,
            config.ring_bytes >> 10
        )
    })
}

//! Live interfaces read as one source.
//!
//! Packets of all interfaces come merged by time as far as the kernel has handed them over: it
//! does so block by block, so packets of two interfaces may change places within the time a
//! block is kept open ([`HOLD_MS`](super::tap::HOLD_MS), twice that at most).

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::choose::Meant;
use super::config::LiveConfig;
use super::dedup::Dedup;
use super::lookout::Lookout;
use super::memory::Memory;
use super::names::{Name, Names};
use super::news::News;
use super::roster::Failed;
use super::switched::Switched;
use super::tap::{Frame, Tap};
use super::wake::{Fd, Waker, Wakeup};
use crate::capture::interfaces::interfaces;
use crate::capture::{Interface, Polled, Source, SourceStats};
use crate::error::Error;
use crate::packet::{BATCH, Nanos, Packet, PacketBatch};

/// An interface that is watched.
pub(super) struct Port<T> {
    /// Of its name, as packets bear it.
    pub(super) number: u16,
    /// Of this tap alone, to tell copies of a packet by.
    pub(super) id: u16,
    /// The system's number.
    pub(super) index: u32,
    pub(super) name: String,
    /// Kernel memory it was given, in bytes.
    pub(super) share: usize,
    pub(super) up: bool,
    pub(super) switched: Switched,
    pub(super) tap: T,
}

/// The interfaces of a live source.
pub(super) struct Ports<T: Tap> {
    pub(super) config: LiveConfig,
    pub(super) way: T::Way,
    pub(super) meant: Meant,
    pub(super) all: Vec<Port<T>>,
    /// Taps opened so far.
    pub(super) opened: u16,
    pub(super) names: Names,
    /// How many names were announced.
    announced: usize,
    pub(super) memory: Memory,
    /// Only once two interfaces can show the same packet.
    pub(super) dedup: Option<Dedup>,
    wakeup: Wakeup,
    pub(super) lookout: Lookout,
    pub(super) failed: Vec<Failed>,
    pub(super) news: News,
}

/// A frame and the place of the port it came by.
type Pick<T> = (u16, Frame<<T as Tap>::Span>);

impl<T: Tap> Ports<T> {
    pub(super) fn open(config: &LiveConfig, way: T::Way) -> Result<(Self, Waker), Error> {
        // Before the list is read, so that no change is missed in between.
        let lookout = Lookout::new(Instant::now());
        let there = interfaces()?;
        let (waker, wakeup) = Wakeup::new()?;
        let mut ports = Self {
            config: config.clone(),
            way,
            meant: Meant::by(config, &there)?,
            all: Vec::new(),
            opened: 0,
            names: Names::default(),
            announced: 0,
            memory: Memory::new(config.ring_bytes, T::LEAST_BYTES, 0, false).0,
            dedup: None,
            wakeup,
            lookout,
            failed: Vec::new(),
            news: News::default(),
        };
        ports.open_first(there)?;
        Ok((ports, waker))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.names.iter().map(|known| known.called.clone()).collect()
    }

    /// Takes up to a batch of frames, oldest first, and says whether there were any at all
    /// (those left out included).
    fn pick(&mut self) -> (ArrayVec<Pick<T>, BATCH>, bool) {
        let mut picks = ArrayVec::new();
        let mut seen = false;
        let mut ready: Vec<u16> = Vec::new();
        for (place, port) in (0..).zip(&mut self.all) {
            port.tap.release();
            if port.tap.next_ts().is_some() {
                ready.push(place);
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
        for &place in ready {
            let Some(ts) = self.all.get_mut(usize::from(place)).and_then(|port| port.tap.next_ts())
            else {
                continue;
            };
            match first {
                Some((_, best)) if best <= ts => until = until.min(ts),
                _ => {
                    until = first.map_or(until, |(_, best)| until.min(best));
                    first = Some((place, ts));
                }
            }
        }
        first.map(|(place, _)| (place, until))
    }

    /// Takes frames of one port up to the time `until`.
    fn take_run(&mut self, place: u16, until: Nanos, picks: &mut ArrayVec<Pick<T>, BATCH>) {
        let Some(port) = self.all.get_mut(usize::from(place)) else {
            return;
        };
        while !picks.is_full() && port.tap.next_ts().is_some_and(|ts| ts <= until) {
            let name = self.names.get_mut(port.number);
            if let Some(frame) = port.take(self.dedup.as_mut(), name) {
                picks.push((place, frame));
            }
        }
    }

    /// Waits for packets, then looks after ports that have lost their interface.
    fn wait(&mut self, timeout: Duration) -> Result<(), Error> {
        let now = Instant::now();
        let left = self.all.iter().filter_map(|port| port.tap.time_left(now));
        let timeout = left.fold(timeout.min(self.lookout.time_left(now)), Duration::min);
        let fds = self.all.iter().map(|port| port.tap.fd());
        let fds: Vec<Option<Fd>> = fds.chain([self.lookout.fd()]).collect();
        let failed = self.wakeup.wait(&fds, timeout)?;
        self.look_after(&failed);
        Ok(())
    }

    /// Looks after ports, those that `failed` above all, and after interfaces if they changed.
    fn look_after(&mut self, failed: &[bool]) {
        let now = Instant::now();
        let failed = failed.iter().copied().chain(std::iter::repeat(false));
        for (port, failed) in self.all.iter_mut().zip(failed) {
            port.tap.check(failed, now);
        }
        if self.lookout.ask(now) {
            self.look(now);
        }
        if self.all.iter().any(|port| port.tap.is_closed()) {
            self.close_gone();
            self.lookout.hurry();
        }
    }

    fn batch(&self, picks: &[Pick<T>]) -> PacketBatch<'_> {
        let packet = |&(place, frame): &Pick<T>| {
            let port = self.all.get(usize::from(place))?;
            Some(Packet {
                ts: frame.ts,
                iface: port.number,
                link: port.tap.link(),
                wire_len: frame.wire_len,
                data: port.tap.bytes(frame.span),
            })
        };
        picks.iter().filter_map(packet).collect()
    }

    fn announce(&mut self) -> Option<Interface> {
        let name = self.names.get(self.announced)?.called.clone();
        self.announced += 1;
        Some(Interface { name })
    }

    /// Packets dropped by the kernel, of each name.
    fn dropped(&mut self) -> Vec<u64> {
        let mut dropped: Vec<u64> = self.names.iter().map(|name| name.dropped).collect();
        for port in &mut self.all {
            if let Some(sum) = dropped.get_mut(usize::from(port.number)) {
                *sum += port.tap.dropped();
            }
        }
        dropped
    }
}

impl<T: Tap> Port<T> {
    /// Takes the next frame; `None` for one that is left out.
    fn take(
        &mut self,
        dedup: Option<&mut Dedup>,
        name: Option<&mut Name>,
    ) -> Option<Frame<T::Span>> {
        let frame = self.tap.take(self.number)?;
        if let Some(dedup) = dedup {
            let (link, data) = (self.tap.link(), self.tap.bytes(frame.span));
            if dedup.is_duplicate(self.id, frame.ts, link, data) {
                if let Some(name) = name {
                    name.duplicates += 1;
                }
                return None;
            }
        }
        Some(frame)
    }
}

impl<T: Tap> Source for Ports<T> {
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error> {
        if self.lookout.is_due(Instant::now()) {
            self.look_after(&[]);
        }
        // What is new is announced before its first packet is picked.
        if let Some(interface) = self.announce() {
            return Ok(Polled::Interface(interface));
        }
        let (mut picks, seen) = self.pick();
        if !seen {
            self.wait(timeout)?;
            if let Some(interface) = self.announce() {
                return Ok(Polled::Interface(interface));
            }
            if !self.wakeup.take() {
                (picks, _) = self.pick();
            }
        }
        if picks.is_empty() {
            return Ok(Polled::Idle);
        }
        Ok(Polled::Packets(self.batch(&picks)))
    }

    fn stats(&mut self) -> SourceStats {
        let mut warnings: Vec<String> = self.news.lines().cloned().collect();
        warnings.extend(self.all.iter().flat_map(|port| port.tap.warnings()));
        let forgotten = self.dedup.as_ref().map_or(0, Dedup::evicted);
        if forgotten > 0 {
            let text = "copies seen on other interfaces may count twice, too many packets at once";
            warnings.push(format!("{text}; {forgotten} could not be told"));
        }
        SourceStats {
            kernel_dropped: self.dropped(),
            duplicates: self.names.iter().map(|name| name.duplicates).collect(),
            states: self.states(),
            warnings,
        }
    }
}

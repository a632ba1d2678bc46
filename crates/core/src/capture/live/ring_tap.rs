//! One interface by its packet ring: its filter, its counters, its fate.

use std::io;
use std::time::{Duration, Instant};

use super::afpacket::{Framing, Geometry, PacketSocket, Ring, RingConfig, Span};
use super::config::LiveConfig;
use super::opener::Opener;
use super::tap::{Frame, LAST_PACKETS, NOT_PERMITTED, Refused, Tap};
use super::wake::Fd;
use crate::capture::filter::{FileFilter, LiveFilter};
use crate::capture::interfaces::InterfaceInfo;
use crate::error::Error;
use crate::packet::{LinkType, Nanos, Packet};

pub(super) struct RingTap {
    name: String,
    link: LinkType,
    ring: Option<Ring>,
    filter: Option<FileFilter>,
    state: State,
    dropped: u64,
    warnings: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    /// Switched off, or off from the start; the ring goes on when it is switched on.
    Down,
    /// Deleted or moved away; packets may still come until then.
    Gone(Instant),
}

impl Tap for RingTap {
    type Way = Opener;
    type Span = Span;

    const LEAST_BYTES: usize = Geometry::MIN_BYTES;

    fn open(
        opener: &Opener,
        config: &LiveConfig,
        interface: InterfaceInfo,
        share: usize,
    ) -> Result<Self, Refused> {
        let framing = Framing::of(interface.hardware);
        let name = interface.name;
        let filter = config.filter.as_deref();
        let live = LiveFilter::new(filter, &name, framing.link(), config.snaplen);
        let LiveFilter { kernel, own } = live.map_err(Refused::LeftOut)?;
        let ring = Ring::open(&RingConfig {
            index: interface.index,
            framing,
            loopback: interface.loopback,
            promiscuous: config.promiscuous,
            geometry: Geometry::share(share, 1),
            program: kernel.as_deref(),
            opener,
        })
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Refused::denied(&name),
            _ => Refused::fatal(&name, error.to_string()),
        })?;
        // An interface that is down leaves an error on the socket, which is no news.
        let _ = ring.socket().take_error();
        let state = if interface.up { State::Up } else { State::Down };
        Ok(Self {
            name,
            link: framing.link(),
            ring: Some(ring),
            filter: own,
            state,
            dropped: 0,
            warnings: Vec::new(),
        })
    }

    fn permitted(opener: &Opener) -> Result<(), Error> {
        match PacketSocket::new(libc::SOCK_RAW, opener) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(Error::Usage(NOT_PERMITTED.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn link(&self) -> LinkType {
        self.link
    }

    fn next_ts(&mut self) -> Option<Nanos> {
        self.ring.as_mut()?.next_ts()
    }

    fn take(&mut self, number: u16) -> Option<Frame<Span>> {
        let ring = self.ring.as_mut()?;
        let frame = ring.take()?;
        if let Some(filter) = &mut self.filter {
            let packet = Packet {
                ts: frame.ts,
                iface: number,
                link: self.link,
                wire_len: frame.wire_len,
                data: ring.bytes(frame.span),
            };
            if !filter.matches(&packet) {
                return None;
            }
        }
        Some(frame)
    }

    fn bytes(&self, span: Span) -> &[u8] {
        self.ring.as_ref().map_or(&[], |ring| ring.bytes(span))
    }

    fn release(&mut self) {
        if let Some(ring) = &mut self.ring {
            ring.release();
        }
    }

    fn fd(&self) -> Option<Fd> {
        self.ring.as_ref().map(|ring| ring.socket().raw())
    }

    fn time_left(&self, now: Instant) -> Option<Duration> {
        match (self.state, &self.ring) {
            (State::Gone(until), Some(_)) => Some(until.saturating_duration_since(now)),
            _ => None,
        }
    }

    fn check(&mut self, failed: bool, now: Instant) {
        let warning = self.look(failed, now);
        self.warnings.extend(warning);
    }

    fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    fn close(&mut self) {
        self.dropped();
        self.ring = None;
    }

    fn is_closed(&self) -> bool {
        self.ring.is_none()
    }

    fn dropped(&mut self) -> u64 {
        let drops = self.ring.as_ref().map(|ring| ring.socket().take_drops().unwrap_or(0));
        self.dropped += drops.unwrap_or(0);
        self.dropped
    }

    fn warnings(&self) -> Vec<String> {
        let filter = self.filter.as_ref().map_or(&[][..], FileFilter::warnings);
        [&self.warnings, filter].concat()
    }
}

impl RingTap {
    /// Looks at the interface's state, and returns what the user should know.
    fn look(&mut self, failed: bool, now: Instant) -> Option<String> {
        let ring = self.ring.as_ref()?;
        let error = failed.then(|| ring.socket().take_error()).flatten();
        if let State::Gone(until) = self.state {
            if now >= until && self.next_ts().is_none() {
                self.close();
            }
            return None;
        }
        if error.is_none() && self.state == State::Up {
            return None;
        }
        if !ring.socket().is_bound() {
            self.state = State::Gone(now + LAST_PACKETS);
            return None;
        }
        let error = error?;
        if error.raw_os_error() != Some(libc::ENETDOWN) {
            return Some(format!("{}: {error}", self.name));
        }
        // That it is down, and up again, is told by who looks at the system's list.
        self.state = State::Down;
        None
    }
}

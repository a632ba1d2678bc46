//! One interface of a live source: its ring, its filter, its counters, its fate.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::afpacket::{Frame, Framing, Geometry, RETIRE_MS, Ring, RingConfig};
use super::config::LiveConfig;
use super::dedup::Dedup;
use crate::capture::filter::{FileFilter, LiveFilter};
use crate::capture::interfaces::InterfaceInfo;
use crate::error::Error;
use crate::packet::{LinkType, Nanos, Packet};

/// After an interface has gone, its last block is handed over within two of these.
const LAST_BLOCK: Duration = Duration::from_millis(RETIRE_MS as u64 * 5);

/// An interface that is watched.
pub(super) struct Port {
    pub(super) name: String,
    pub(super) link: LinkType,
    pub(super) duplicates: u64,
    ring: Option<Ring>,
    filter: Option<FileFilter>,
    state: State,
    warned_down: bool,
    dropped: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    /// Switched off, or off from the start; the ring goes on when it is switched on.
    Down,
    /// Deleted or moved away; packets may still come until then.
    Gone(Instant),
}

impl Port {
    pub(super) fn open(
        config: &LiveConfig,
        interface: InterfaceInfo,
        geometry: Geometry,
    ) -> Result<Self, Error> {
        let framing = Framing::of(interface.hardware);
        let name = interface.name;
        let filter = config.filter.as_deref();
        let live = LiveFilter::new(filter, &name, framing.link(), config.snaplen);
        let allowed = |error: &io::Error| error.kind() != io::ErrorKind::PermissionDenied;
        let LiveFilter { kernel, own } = live?;
        let ring = Ring::open(&RingConfig {
            index: interface.index,
            framing,
            loopback: interface.loopback,
            promiscuous: config.promiscuous,
            geometry,
            program: kernel.as_deref(),
        })
        .map_err(|error| {
            let reason = if allowed(&error) {
                error.to_string()
            } else {
                "not permitted; run as root (sudo tidegate watch) or give the capability \
                 CAP_NET_RAW"
                    .to_owned()
            };
            Error::Interface {
                name: name.clone(),
                reason,
            }
        })?;
        // An interface that is down leaves an error on the socket, which is no news.
        let _ = ring.socket().take_error();
        let state = if interface.up { State::Up } else { State::Down };
        Ok(Self {
            name,
            link: framing.link(),
            duplicates: 0,
            ring: Some(ring),
            filter: own,
            state,
            warned_down: false,
            dropped: 0,
        })
    }

    /// See [`Ring::next_ts`].
    pub(super) fn next_ts(&mut self) -> Option<Nanos> {
        self.ring.as_mut()?.next_ts()
    }

    /// See [`Ring::release`].
    pub(super) fn release(&mut self) {
        if let Some(ring) = &mut self.ring {
            ring.release();
        }
    }

    /// Takes the next frame; `None` for one that is left out.
    pub(super) fn take(&mut self, number: u16, dedup: Option<&mut Dedup>) -> Option<Frame> {
        let ring = self.ring.as_mut()?;
        let frame = ring.take()?;
        let (ts, link, wire_len) = (frame.ts, self.link, frame.wire_len);
        let data = ring.bytes(frame.span);
        if let Some(filter) = &mut self.filter {
            let packet = Packet {
                ts,
                iface: number,
                link,
                wire_len,
                data,
            };
            if !filter.matches(&packet) {
                return None;
            }
        }
        if dedup.is_some_and(|dedup| dedup.is_duplicate(number, ts, link, data)) {
            self.duplicates += 1;
            return None;
        }
        Some(frame)
    }

    /// The bytes of a frame taken since the last release.
    pub(super) fn bytes(&self, frame: &Frame) -> &[u8] {
        self.ring
            .as_ref()
            .map_or(&[], |ring| ring.bytes(frame.span))
    }

    /// What to wait on; -1, which poll(2) skips, when it is closed.
    pub(super) fn fd(&self) -> RawFd {
        self.ring.as_ref().map_or(-1, |ring| ring.socket().raw())
    }

    /// How long a wait may last for this port's sake.
    pub(super) fn time_left(&self) -> Option<Duration> {
        match (self.state, &self.ring) {
            (State::Gone(until), Some(_)) => Some(until.saturating_duration_since(Instant::now())),
            _ => None,
        }
    }

    /// Looks at the interface's state: after each wait, `failed` if its socket has an error.
    /// Returns what the user should know.
    pub(super) fn check(&mut self, failed: bool, now: Instant) -> Option<String> {
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
            self.state = State::Gone(now + LAST_BLOCK);
            return Some(format!("{}: the interface is gone", self.name));
        }
        let error = error?;
        if error.raw_os_error() != Some(libc::ENETDOWN) {
            return Some(format!("{}: {error}", self.name));
        }
        self.state = State::Down;
        let first = !std::mem::replace(&mut self.warned_down, true);
        first.then(|| format!("{}: the interface went down; waiting for it", self.name))
    }

    /// Whether nothing will ever come from it again.
    pub(super) fn is_closed(&self) -> bool {
        self.ring.is_none()
    }

    /// Packets dropped by the kernel since the start.
    pub(super) fn dropped(&mut self) -> u64 {
        let drops = self
            .ring
            .as_ref()
            .map(|ring| ring.socket().take_drops().unwrap_or(0));
        self.dropped += drops.unwrap_or(0);
        self.dropped
    }

    pub(super) fn filter_warnings(&self) -> &[String] {
        self.filter.as_ref().map_or(&[], FileFilter::warnings)
    }

    fn close(&mut self) {
        self.dropped();
        self.ring = None;
    }
}

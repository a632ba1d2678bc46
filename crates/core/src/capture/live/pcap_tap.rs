//! One interface by libpcap: copied into a bounded buffer, opened anew when it comes back.
//!
//! libpcap does not say the same on every system when an interface goes down or away. So any
//! error means: take what is still there, then look at the system's list, and go on with the
//! handle if it works again, with a new one if it does not, or not at all.

use std::time::{Duration, Instant};

use super::config::LiveConfig;
use super::tap::{Frame, HOLD_MS, LAST_PACKETS, NOT_PERMITTED, Refused, Tap, of_interface};
use super::wake::Fd;
use crate::capture::interfaces::{InterfaceInfo, interfaces};
use crate::capture::libpcap::{Libpcap, LiveHandle, NotOpened, Options};
use crate::error::Error;
use crate::packet::{BATCH, LinkType, Nanos};

/// How often we look again where the system has nothing to wait on.
const STEP: Duration = Duration::from_millis(HOLD_MS as u64 / 2);
/// How often an interface that is down is tried.
const RETRY: Duration = Duration::from_millis(250);
/// Different warnings kept of one interface.
const MAX_WARNINGS: usize = 8;

/// The opened library.
pub(super) struct Way(Libpcap);

/// Where a frame lies in the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: usize,
    len: usize,
}

pub(super) struct PcapTap {
    library: Libpcap,
    options: Options,
    filter: Option<String>,
    name: String,
    index: u32,
    link: Option<LinkType>,
    state: State,
    buffer: Buffer,
    /// By handles that are closed.
    dropped: u64,
    warnings: Vec<String>,
}

enum State {
    Open(LiveHandle),
    /// libpcap had an error; packets may still come until then.
    Failing(LiveHandle, Instant),
    /// Down; tried again then.
    Waiting(Instant),
    Closed,
}

/// Frames in hand, at most a batch of them.
#[derive(Default)]
struct Buffer {
    frames: Vec<Frame<Span>>,
    bytes: Vec<u8>,
    taken: usize,
}

/// Why no handle was had, in a few words each.
enum Failure {
    Down,
    Denied,
    Filter(String),
    Other(String),
}

impl PcapTap {
    /// Opens the library, from the file `library` if one is named.
    pub(super) fn way(library: Option<&str>) -> Result<Way, Error> {
        const WANTED_FOR: &str = "live capture by libpcap needs";
        let opened = match library {
            Some(name) => Libpcap::open_first(&[name], WANTED_FOR),
            None => Libpcap::open(WANTED_FOR),
        };
        opened.map(Way).map_err(Error::Usage)
    }

    fn activate(&mut self) -> Result<LiveHandle, Failure> {
        let opened = self.library.open_live(&self.name, &self.options);
        let (mut handle, warning) = opened.map_err(|why| match why {
            NotOpened::Down => Failure::Down,
            NotOpened::Denied => Failure::Denied,
            NotOpened::Other(reason) => Failure::Other(reason),
        })?;
        if let Some(filter) = &self.filter {
            handle.set_filter(filter).map_err(Failure::Filter)?;
        }
        if let Some(warning) = warning {
            self.warn(&warning);
        }
        Ok(handle)
    }

    /// A mistake in the filter is found at once, even if the interface is down.
    fn check_filter(&self) -> Result<(), Failure> {
        let Some(filter) = &self.filter else {
            return Ok(());
        };
        let (link, snaplen) = (LinkType::ETHERNET, self.options.snaplen);
        let compiled = self.library.compile(filter, link, snaplen);
        compiled.map(drop).map_err(Failure::Filter)
    }

    fn start(&mut self) -> Result<(), Failure> {
        match self.activate() {
            Ok(handle) => {
                self.link = Some(handle.link());
                self.state = State::Open(handle);
                Ok(())
            }
            Err(Failure::Down) => self.check_filter(),
            Err(why) => Err(why),
        }
    }

    /// Tries to open an interface that was down.
    fn reopen(&mut self, now: Instant) {
        match self.activate() {
            Ok(handle) if self.link.is_none_or(|link| link == handle.link()) => {
                self.link = Some(handle.link());
                self.state = State::Open(handle);
            }
            Ok(_) => self.end("its packets have another link type now"),
            Err(Failure::Filter(reason)) => {
                self.end(&format!("not watched, the filter fails: {reason}"));
            }
            Err(_) if self.listed().is_none() => self.close(),
            Err(why) => {
                match why {
                    Failure::Denied => self.warn(NOT_PERMITTED),
                    Failure::Other(reason) => self.warn(&reason),
                    Failure::Down | Failure::Filter(_) => {}
                }
                self.state = State::Waiting(now + RETRY);
            }
        }
    }

    /// Copies what is there; whether libpcap can still be asked, and if not, why.
    fn fill(&mut self) -> Result<(), String> {
        let buffer = &mut self.buffer;
        match &mut self.state {
            State::Open(handle) | State::Failing(handle, _) => {
                handle.dispatch(BATCH, |ts, wire_len, data| buffer.put(ts, wire_len, data))
            }
            State::Waiting(_) | State::Closed => Ok(()),
        }
    }

    /// After an error, and after what came since: says what has become of the interface.
    fn settle(&mut self, now: Instant, filled: Result<(), String>) {
        let Some(listed) = self.listed() else {
            return self.close();
        };
        let State::Failing(handle, _) = std::mem::replace(&mut self.state, State::Closed) else {
            return;
        };
        self.state = State::Open(handle);
        if let Err(reason) = filled {
            self.dropped();
            // One that is down is told by who looks at the system's list.
            if listed.up {
                self.warn(&format!("{reason}; trying again"));
            }
            self.state = State::Waiting(now);
        }
    }

    /// The interface as the system has it now; `None` if that is another one.
    fn listed(&self) -> Option<InterfaceInfo> {
        let mut all = interfaces().unwrap_or_default().into_iter();
        all.find(|i| i.name == self.name && i.index == self.index)
    }

    fn end(&mut self, why: &str) {
        self.warn(why);
        self.close();
    }

    fn warn(&mut self, what: &str) {
        let line = format!("{}: {what}", self.name);
        if !self.warnings.contains(&line) && self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(line);
        }
    }
}

impl Tap for PcapTap {
    type Way = Way;
    type Span = Span;

    /// libpcap cuts the buffer into blocks of 256 KiB on Linux, and one is none.
    const LEAST_BYTES: usize = 512 << 10;

    fn open(
        Way(library): &Way,
        config: &LiveConfig,
        interface: InterfaceInfo,
        share: usize,
    ) -> Result<Self, Refused> {
        let mut tap = Self {
            library: library.clone(),
            options: Options {
                snaplen: config.snaplen,
                promiscuous: config.promiscuous,
                timeout_ms: HOLD_MS,
                buffer_bytes: share.max(Self::LEAST_BYTES),
            },
            filter: config.filter.clone(),
            name: interface.name,
            index: interface.index,
            link: None,
            state: State::Waiting(Instant::now()),
            buffer: Buffer::default(),
            dropped: 0,
            warnings: Vec::new(),
        };
        let name = tap.name.clone();
        tap.start().map_err(|why| match why {
            Failure::Denied => Refused::denied(&name),
            Failure::Filter(reason) => Refused::LeftOut(Error::Filter {
                filter: config.filter.clone().unwrap_or_default(),
                reason,
            }),
            // Systems have interfaces that nobody asks for and that cannot be captured from.
            Failure::Other(reason) if config.interfaces.iter().all(|name| name == "any") => {
                Refused::LeftOut(of_interface(&name, reason))
            }
            Failure::Other(reason) => Refused::fatal(&name, reason),
            Failure::Down => Refused::fatal(&name, "the interface is down"),
        })?;
        Ok(tap)
    }

    fn permitted(_way: &Way) -> Result<(), Error> {
        Ok(())
    }

    fn link(&self) -> LinkType {
        self.link.unwrap_or(LinkType::ETHERNET)
    }

    fn next_ts(&mut self) -> Option<Nanos> {
        Some(self.buffer.next()?.ts)
    }

    fn take(&mut self, _number: u16) -> Option<Frame<Span>> {
        let frame = self.buffer.next()?;
        self.buffer.taken += 1;
        Some(frame)
    }

    fn bytes(&self, span: Span) -> &[u8] {
        let bytes = self.buffer.bytes.get(span.start..span.start + span.len);
        bytes.unwrap_or_default()
    }

    fn release(&mut self) {
        if self.buffer.next().is_some() {
            return;
        }
        self.buffer.clear();
        let filled = self.fill();
        match &self.state {
            State::Open(_) if filled.is_ok() => {}
            State::Closed => {}
            State::Open(_) => {
                if let State::Open(handle) = std::mem::replace(&mut self.state, State::Closed) {
                    self.state = State::Failing(handle, Instant::now() + LAST_PACKETS);
                }
            }
            State::Failing(_, until) => {
                let now = Instant::now();
                if now >= *until && self.buffer.frames.is_empty() {
                    self.settle(now, filled);
                }
            }
            State::Waiting(next) => {
                let now = Instant::now();
                if now >= *next {
                    self.reopen(now);
                }
            }
        }
    }

    /// None while it fails: the error would end each wait at once.
    #[cfg(unix)]
    fn fd(&self) -> Option<Fd> {
        match &self.state {
            State::Open(handle) => handle.fd(),
            _ => None,
        }
    }

    #[cfg(not(unix))]
    fn fd(&self) -> Option<Fd> {
        None
    }

    fn time_left(&self, now: Instant) -> Option<Duration> {
        match &self.state {
            State::Waiting(next) => Some(next.saturating_duration_since(now)),
            State::Open(_) | State::Failing(..) if self.fd().is_none() => Some(STEP),
            _ => None,
        }
    }

    /// libpcap forgives an interface that went down where the handle goes on afterwards, and on
    /// some systems does not see that one is gone.
    fn check(&mut self, failed: bool, now: Instant) {
        if !failed || self.listed().is_some() {
            return;
        }
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Open(handle) => State::Failing(handle, now + LAST_PACKETS),
            other => other,
        };
    }

    fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    fn close(&mut self) {
        self.dropped();
        self.state = State::Closed;
    }

    fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    fn dropped(&mut self) -> u64 {
        if let State::Open(handle) | State::Failing(handle, _) = &mut self.state {
            self.dropped += handle.take_drops();
        }
        self.dropped
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

impl Buffer {
    fn next(&self) -> Option<Frame<Span>> {
        self.frames.get(self.taken).copied()
    }

    fn put(&mut self, ts: Nanos, wire_len: u32, data: &[u8]) {
        let span = Span { start: self.bytes.len(), len: data.len() };
        self.bytes.extend_from_slice(data);
        self.frames.push(Frame { ts, wire_len, span });
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.bytes.clear();
        self.taken = 0;
    }
}

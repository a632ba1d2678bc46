//! What an interface is tapped with, and what all ways to do so have in common.

use std::time::{Duration, Instant};

use super::config::LiveConfig;
use super::wake::Fd;
use crate::capture::interfaces::InterfaceInfo;
use crate::error::Error;
use crate::packet::{LinkType, Nanos};

/// The kernel hands packets over after this long at most, in milliseconds: short enough for a
/// person who watches, long enough that we are not woken for a handful of packets.
pub(super) const HOLD_MS: u32 = 20;

/// After an interface has gone, what is left of it is handed over within two holds.
pub(super) const LAST_PACKETS: Duration = Duration::from_millis(HOLD_MS as u64 * 5);

/// What to do where the system does not let us.
pub(super) const NOT_PERMITTED: &str = if cfg!(target_os = "linux") {
    "not permitted; run as root (sudo tidegate watch) or give the capability CAP_NET_RAW"
} else if cfg!(windows) {
    "not permitted; run as administrator, or install Npcap without restricting it to them"
} else {
    "not permitted; run as root (sudo tidegate watch) or let your user read /dev/bpf*"
};

/// One frame, described; `S` says where its bytes lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<S> {
    pub(super) ts: Nanos,
    pub(super) wire_len: u32,
    pub(super) span: S,
}

/// Why an interface is not watched.
pub(super) enum Refused {
    /// Only this one, for good: the others go on without it.
    LeftOut(Error),
    /// It failed for now; at the start this is an error if the interface was named.
    Fatal(Error),
    /// The system does not let us, and will not let us open any other.
    Denied(Error),
}

impl Refused {
    pub(super) fn fatal(name: &str, reason: impl Into<String>) -> Self {
        Self::Fatal(of_interface(name, reason))
    }

    pub(super) fn denied(name: &str) -> Self {
        Self::Denied(of_interface(name, NOT_PERMITTED))
    }
}

pub(super) fn of_interface(name: &str, reason: impl Into<String>) -> Error {
    Error::Interface { name: name.to_owned(), reason: reason.into() }
}

/// Frames of one interface, and its fate.
pub(super) trait Tap: Sized {
    /// What all taps of a source are opened with.
    type Way;
    /// Where a frame's bytes lie; good until the next [`Tap::release`].
    type Span: Copy;

    /// The least kernel memory an interface takes, in bytes.
    const LEAST_BYTES: usize;

    /// Opens an interface with a `share` of the kernel's memory, in bytes.
    fn open(
        way: &Self::Way,
        config: &LiveConfig,
        interface: InterfaceInfo,
        share: usize,
    ) -> Result<Self, Refused>;

    /// An error if the system would not let us open any interface, as far as that can be known
    /// where there is none.
    fn permitted(way: &Self::Way) -> Result<(), Error>;

    /// What its packets start with.
    fn link(&self) -> LinkType;

    /// When the next frame was seen; `None` when none is there. Never leaves the frames in
    /// hand, which may be in use.
    fn next_ts(&mut self) -> Option<Nanos>;

    /// Takes the next frame, which gets the interface's `number`; `None` for one to leave out.
    fn take(&mut self, number: u16) -> Option<Frame<Self::Span>>;

    /// The bytes of a frame taken since the last release.
    fn bytes(&self, span: Self::Span) -> &[u8];

    /// Lets go of the frames in hand if all were taken, and looks for further ones. Call when
    /// nothing of them is in use any more.
    fn release(&mut self);

    /// What to wait on, if anything.
    fn fd(&self) -> Option<Fd>;

    /// How long a wait may last for this tap's sake.
    fn time_left(&self, now: Instant) -> Option<Duration>;

    /// Called after each wait and now and then; `failed` if what it waits on has an error, or
    /// the interface is not listed any more.
    fn check(&mut self, failed: bool, now: Instant);

    /// The interface has another name now.
    fn rename(&mut self, name: &str);

    /// Ends it: it is not wanted any more.
    fn close(&mut self);

    /// Whether nothing will ever come from it again.
    fn is_closed(&self) -> bool;

    /// Packets dropped by the kernel since the start.
    fn dropped(&mut self) -> u64;

    /// What the user should know, in the order it was found; bounded.
    fn warnings(&self) -> Vec<String>;
}

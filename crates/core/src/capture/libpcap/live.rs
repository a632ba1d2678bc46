//! An interface that libpcap captures from, without ever waiting.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_uint};

use super::{ERROR_BUFFER, Handle, Libpcap, link, text};
use crate::packet::{LinkType, Nanos};

/// `struct timeval` as `struct pcap_pkthdr` has it: two `long`s of 32 bits on Windows, a
/// 64-bit and a 32-bit number on macOS.
#[cfg(not(target_os = "openbsd"))]
type Time = libc::timeval;

/// `struct bpf_timeval`, which `OpenBSD` has in its place.
#[cfg(target_os = "openbsd")]
#[repr(C)]
struct Time {
    tv_sec: u32,
    tv_usec: u32,
}

/// `struct pcap_pkthdr` as far as it is the same everywhere: macOS has a comment behind it.
/// Only ever read through a pointer that libpcap gave.
#[repr(C)]
pub(super) struct PacketHeader {
    ts: Time,
    captured: u32,
    wire: u32,
}

/// `pcap_handler`.
pub(super) type Handler = unsafe extern "C" fn(*mut u8, *const PacketHeader, *const u8);

/// `struct pcap_stat`.
#[repr(C)]
#[derive(Default)]
pub(super) struct Statistics {
    received: c_uint,
    dropped: c_uint,
    dropped_by_interface: c_uint,
    /// `ps_capt`, `ps_sent` and `ps_netdrop` of Windows; libpcap writes there nowhere else.
    _windows: [c_uint; 3],
}

/// What an interface is opened with.
pub(crate) struct Options {
    pub(crate) snaplen: u32,
    pub(crate) promiscuous: bool,
    /// How long the kernel may keep packets before it hands them over.
    pub(crate) timeout_ms: u32,
    pub(crate) buffer_bytes: usize,
}

/// Why an interface was not opened.
pub(crate) enum NotOpened {
    Down,
    Denied,
    Other(String),
}

/// An interface that is captured from.
pub(crate) struct LiveHandle {
    handle: Handle,
    /// Nanoseconds in what the header counts below a second.
    fraction: Nanos,
    /// What libpcap counted as dropped when it was last asked.
    drops: c_uint,
}

impl Libpcap {
    pub(super) fn create(&self, interface: &str) -> Result<Handle, String> {
        let interface = CString::new(interface).map_err(|_| "a zero byte in its name")?;
        let mut error: [c_char; ERROR_BUFFER] = [0; ERROR_BUFFER];
        // SAFETY: the name ends in 0 and the buffer has the size that libpcap asks for.
        let pcap = unsafe { (self.functions().create)(interface.as_ptr(), error.as_mut_ptr()) };
        Handle::new(self, pcap).ok_or_else(|| text(&error))
    }

    /// Opens `interface`; beside it, what its user should know.
    pub(crate) fn open_live(
        &self,
        interface: &str,
        options: &Options,
    ) -> Result<(LiveHandle, Option<String>), NotOpened> {
        let handle = self.create(interface).map_err(NotOpened::Other)?;
        let warning = activate(&handle, options)?;
        let mut error: [c_char; ERROR_BUFFER] = [0; ERROR_BUFFER];
        let (functions, pcap) = (self.functions(), handle.as_ptr());
        // SAFETY: the handle is active and the buffer has the size that libpcap asks for.
        if unsafe { (functions.setnonblock)(pcap, 1, error.as_mut_ptr()) } < 0 {
            return Err(NotOpened::Other(text(&error)));
        }
        // SAFETY: the handle is active.
        let precision = functions.get_tstamp_precision.map(|get| unsafe { get(pcap) });
        let nanos = precision == Some(PRECISION_NANO);
        let handle = LiveHandle { handle, fraction: if nanos { 1 } else { 1000 }, drops: 0 };
        Ok((handle, warning))
    }
}

const PRECISION_NANO: c_int = 1;

fn activate(handle: &Handle, options: &Options) -> Result<Option<String>, NotOpened> {
    const PERM_DENIED: c_int = -8;
    const IFACE_NOT_UP: c_int = -9;
    const PROMISC_PERM_DENIED: c_int = -11;
    const WARNING_TSTAMP: c_int = 3;
    let (functions, pcap) = (handle.functions(), handle.as_ptr());
    let number = |n: usize| c_int::try_from(n).unwrap_or(c_int::MAX);
    // SAFETY: the handle is open and not yet active, as these want it; a precision that is
    // not to be had leaves microseconds.
    let activated = unsafe {
        (functions.set_snaplen)(pcap, number(options.snaplen as usize));
        (functions.set_promisc)(pcap, c_int::from(options.promiscuous));
        (functions.set_timeout)(pcap, number(options.timeout_ms as usize));
        (functions.set_buffer_size)(pcap, number(options.buffer_bytes));
        functions.set_tstamp_precision.map(|set| set(pcap, PRECISION_NANO));
        (functions.activate)(pcap)
    };
    match activated {
        0 | WARNING_TSTAMP => Ok(None),
        1.. => Ok(Some(handle.error())),
        PERM_DENIED | PROMISC_PERM_DENIED => Err(NotOpened::Denied),
        IFACE_NOT_UP => Err(NotOpened::Down),
        code => Err(NotOpened::Other(match handle.error() {
            empty if empty.is_empty() => format!("libpcap cannot open it (error {code})"),
            said => said,
        })),
    }
}

impl LiveHandle {
    /// What the packets start with.
    pub(crate) fn link(&self) -> LinkType {
        // SAFETY: the handle is active.
        link(unsafe { (self.handle.functions().datalink)(self.handle.as_ptr()) })
    }

    /// Lets only what `filter` accepts through, from now on.
    pub(crate) fn set_filter(&mut self, filter: &str) -> Result<(), String> {
        let mut compiled = self.handle.compile(filter)?;
        let setfilter = self.handle.functions().setfilter;
        // SAFETY: the handle is active, and libpcap copies the program that it has compiled.
        match unsafe { setfilter(self.handle.as_ptr(), &raw mut compiled.program) } {
            0 => Ok(()),
            _ => Err(self.handle.error()),
        }
    }

    /// Hands what is there to `keep` (time, wire length, bytes), up to `most` packets.
    pub(crate) fn dispatch<F: FnMut(Nanos, u32, &[u8])>(
        &mut self,
        most: usize,
        keep: F,
    ) -> Result<(), String> {
        let mut hand = Hand { keep, fraction: self.fraction };
        let user = (&raw mut hand).cast::<u8>();
        let most = c_int::try_from(most).unwrap_or(c_int::MAX);
        let dispatch = self.handle.functions().dispatch;
        // SAFETY: the handle is active; `hand_over` gets the `Hand<F>` that it is made for,
        // which lives through the call and is used by nothing else meanwhile.
        match unsafe { dispatch(self.handle.as_ptr(), most, hand_over::<F>, user) } {
            0.. => Ok(()),
            _ => Err(self.handle.error()),
        }
    }

    /// Packets dropped because we were late, since the last call; 0 where libpcap cannot say.
    pub(crate) fn take_drops(&mut self) -> u64 {
        let mut statistics = Statistics::default();
        let stats = self.handle.functions().stats;
        // SAFETY: the handle is active and the struct has room for what any system writes.
        if unsafe { stats(self.handle.as_ptr(), &raw mut statistics) } < 0 {
            return 0;
        }
        let new = statistics.dropped.wrapping_sub(self.drops);
        self.drops = statistics.dropped;
        u64::from(new)
    }

    /// What poll(2) can wait on; `None` where there is no such thing.
    #[cfg(unix)]
    pub(crate) fn fd(&self) -> Option<c_int> {
        let get = self.handle.functions().get_selectable_fd;
        // SAFETY: the handle is active.
        Some(unsafe { get(self.handle.as_ptr()) }).filter(|&fd| fd >= 0)
    }
}

/// What `hand_over` needs to know.
struct Hand<F> {
    keep: F,
    fraction: Nanos,
}

/// Called by libpcap for each packet. A panic in here would end the process: `keep` has none.
///
/// # Safety
/// `user` points to a `Hand<F>` that nothing else uses, `header` to a header, and `data` to as
/// many bytes as it says were captured.
unsafe extern "C" fn hand_over<F: FnMut(Nanos, u32, &[u8])>(
    user: *mut u8,
    header: *const PacketHeader,
    data: *const u8,
) {
    // SAFETY: as the caller promises.
    let hand = unsafe { &mut *user.cast::<Hand<F>>() };
    // SAFETY: as the caller promises; in the layout that `Time` has on this system. Whether it
    // is aligned is left open, since it may lie in a buffer of the kernel's.
    let header = unsafe { header.read_unaligned() };
    let data = if data.is_null() {
        &[]
    } else {
        // SAFETY: as the caller promises; used in this call only.
        unsafe { std::slice::from_raw_parts(data, header.captured as usize) }
    };
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        reason = "how long they are differs from system to system"
    )]
    let (seconds, part) = (header.ts.tv_sec as i64, header.ts.tv_usec as i64);
    let ts =
        seconds.saturating_mul(1_000_000_000).saturating_add(part.saturating_mul(hand.fraction));
    (hand.keep)(ts, header.wire, data);
}

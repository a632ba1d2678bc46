//! The kernel's `perf_event_attr` and the calls that take it.
#![allow(unsafe_code)]

use std::ffi::{CString, c_int, c_ulong};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

const TYPE_SOFTWARE: u32 = 1;
const TYPE_TRACEPOINT: u32 = 2;
const COUNT_DUMMY: u64 = 9;
const SAMPLE_TID: u64 = 1 << 1;
const SAMPLE_TIME: u64 = 1 << 2;
const SAMPLE_RAW: u64 = 1 << 10;
const DISABLED: u64 = 1;
const TASK: u64 = 1 << 13;
const SAMPLE_ID_ALL: u64 = 1 << 18;
const USE_CLOCKID: u64 = 1 << 25;
const NAMESPACES: u64 = 1 << 28;
const FLAG_CLOEXEC: c_ulong = 8;
const IOC_ENABLE: c_ulong = 0x2400;
const IOC_SET_OUTPUT: c_ulong = 0x2405;
const IOC_SET_FILTER: c_ulong = 0x4008_2406;

/// `struct perf_event_attr`, up to its fifth version (Linux 4.1 reads no more).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attr {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clockid: i32,
    sample_regs_intr: u64,
    aux_watermark: u32,
    sample_max_stack: u16,
    reserved: u16,
}

impl Attr {
    /// Notes of forks, exits and namespaces; counts nothing.
    pub(crate) fn notes() -> Self {
        let flags = DISABLED | TASK | NAMESPACES | SAMPLE_ID_ALL | USE_CLOCKID;
        Self { kind: TYPE_SOFTWARE, config: COUNT_DUMMY, flags, ..Self::timed() }
    }

    /// A tracepoint, by its id; each event wakes the reader.
    pub(crate) fn tracepoint(id: u64) -> Self {
        let sample_type = SAMPLE_TID | SAMPLE_TIME | SAMPLE_RAW;
        let flags = DISABLED | SAMPLE_ID_ALL | USE_CLOCKID;
        let (sample_period, wakeup_events) = (1, 1);
        let config = id;
        Self {
            kind: TYPE_TRACEPOINT,
            config,
            sample_period,
            sample_type,
            flags,
            wakeup_events,
            ..Self::timed()
        }
    }

    /// Boot time, which counts suspended time, is refused for tracepoints: the watch converts.
    fn timed() -> Self {
        let size = size_of::<Self>() as u32;
        Self {
            size,
            sample_type: SAMPLE_TID | SAMPLE_TIME,
            clockid: libc::CLOCK_MONOTONIC,
            ..Self::default()
        }
    }
}

/// Opens an event for all processes on a CPU.
pub(crate) fn open(attr: &Attr, cpu: c_int) -> io::Result<OwnedFd> {
    let (all, no_group): (libc::pid_t, c_int) = (-1, -1);
    let attr: *const Attr = attr;
    // SAFETY: `attr` lives through the call and says its own size; integers otherwise.
    let fd =
        unsafe { libc::syscall(libc::SYS_perf_event_open, attr, all, cpu, no_group, FLAG_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` is a descriptor that was just made and that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Lets an event write to another's ring.
pub(crate) fn share(event: &OwnedFd, ring: RawFd) -> io::Result<()> {
    // SAFETY: integers only.
    check(unsafe { libc::ioctl(event.as_raw_fd(), IOC_SET_OUTPUT, ring) })
}

/// Lets through only what the expression over the tracepoint's fields says.
pub(crate) fn filter(event: &OwnedFd, expression: &str) -> io::Result<()> {
    let text = CString::new(expression)?;
    // SAFETY: the kernel reads the text, which lives through the call and ends with a zero.
    check(unsafe { libc::ioctl(event.as_raw_fd(), IOC_SET_FILTER, text.as_ptr()) })
}

/// Starts an event.
pub(crate) fn enable(event: RawFd) -> io::Result<()> {
    // SAFETY: integers only.
    check(unsafe { libc::ioctl(event, IOC_ENABLE, 0) })
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

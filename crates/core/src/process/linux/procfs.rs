//! /proc as far as it is asked: one process's facts, who holds which socket, and the clocks.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use crate::packet::Nanos;
use crate::process::programs::{Facts, MAX_TEXT, Reader, text};

/// The flag of a kernel thread in /proc/PID/stat.
const PF_KTHREAD: u32 = 0x0020_0000;

/// Reads processes.
pub(crate) struct Procfs {
    tick: u64,
}

impl Procfs {
    pub(crate) fn new() -> Self {
        // SAFETY: takes and returns integers only.
        let hertz = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
        Self { tick: 1_000_000_000 / u64::try_from(hertz).unwrap_or(100).max(1) }
    }
}

impl Reader for Procfs {
    fn read(&mut self, pid: u32) -> Result<Facts, bool> {
        let denied = |error: io::Error| error.kind() == ErrorKind::PermissionDenied;
        let before = bounded(&format!("/proc/{pid}/stat")).map_err(denied)?;
        let mut facts = self.stat(&before).ok_or(false)?;
        facts.path = fs::read_link(format!("/proc/{pid}/exe"))
            .ok()
            .map(|path| text(path.as_os_str().as_bytes()))
            .map(|path| path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned());
        facts.cmdline = bounded(&format!("/proc/{pid}/cmdline")).ok().and_then(|raw| joined(&raw));
        facts.uid = bounded(&format!("/proc/{pid}/status")).ok().and_then(|raw| real_uid(&raw));
        facts.cgroup = bounded(&format!("/proc/{pid}/cgroup")).ok().and_then(|raw| cgroup(&raw));
        facts.net = fs::metadata(format!("/proc/{pid}/ns/net")).ok().map(|meta| meta.ino());
        let after = bounded(&format!("/proc/{pid}/stat")).map_err(denied)?;
        let same = self.stat(&after).ok_or(false)?;
        // Between the two readings it may have ended, or become another.
        if same.started != facts.started || same.comm != facts.comm {
            return Err(false);
        }
        facts.read = since_boot();
        Ok(facts)
    }
}

impl Procfs {
    /// The fields of /proc/PID/stat; the name may hold blanks and brackets.
    fn stat(&self, raw: &[u8]) -> Option<Facts> {
        let open = raw.iter().position(|&byte| byte == b'(')?;
        let close = raw.iter().rposition(|&byte| byte == b')')?;
        let rest = std::str::from_utf8(raw.get(close + 1..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        // From the third on: state, ppid, …, flags (9th), …, starttime (22nd).
        let kernel = number(6)? as u32 & PF_KTHREAD != 0;
        let zombie = matches!(fields.first(), Some(&("Z" | "X" | "x")));
        (!zombie).then_some(Facts {
            started: number(19)? * self.tick,
            parent: number(1)? as u32,
            comm: text(raw.get(open + 1..close)?),
            kernel,
            ..Facts::default()
        })
    }
}

/// Every process there is.
pub(crate) fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Which processes hold which of all sockets, by the socket's inode.
pub(crate) fn holders() -> HashMap<u64, Vec<u32>> {
    let mut found: HashMap<u64, Vec<u32>> = HashMap::new();
    for pid in pids() {
        for inode in sockets_of(pid) {
            let held = found.entry(inode).or_default();
            if held.last() != Some(&pid) {
                held.push(pid);
            }
        }
    }
    found
}

/// Whether a process still holds a socket.
pub(crate) fn holds(pid: u32, inode: u64) -> bool {
    sockets_of(pid).contains(&inode)
}

fn sockets_of(pid: u32) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let links = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    let inode = |link: &[u8]| {
        let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    links.filter_map(|link| inode(link.as_os_str().as_bytes())).collect()
}

/// The network namespace of the calling thread, by inode.
pub(crate) fn own_net() -> io::Result<u64> {
    Ok(fs::metadata("/proc/thread-self/ns/net")?.ino())
}

/// Nanoseconds since boot, suspended time included.
pub(crate) fn since_boot() -> u64 {
    clock(libc::CLOCK_BOOTTIME) as u64
}

/// The monotonic clock.
pub(crate) fn monotonic() -> u64 {
    clock(libc::CLOCK_MONOTONIC) as u64
}

/// Time since boot minus the monotonic clock, which stands still while the machine is suspended.
pub(crate) fn suspended() -> u64 {
    (clock(libc::CLOCK_BOOTTIME) - clock(libc::CLOCK_MONOTONIC)).max(0) as u64
}

/// UTC.
pub(crate) fn utc() -> Nanos {
    clock(libc::CLOCK_REALTIME)
}

/// UTC minus the time since boot.
pub(crate) fn offset() -> Nanos {
    clock(libc::CLOCK_REALTIME) - clock(libc::CLOCK_BOOTTIME)
}

fn clock(which: libc::clockid_t) -> Nanos {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes into the live `time`; both clocks exist on every Linux we run on.
    unsafe { libc::clock_gettime(which, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The first bytes of a small file.
fn bounded(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    fs::File::open(path)?.take(MAX_TEXT as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn joined(raw: &[u8]) -> Option<String> {
    let end = raw.iter().rposition(|&byte| byte != 0)?;
    let blank = |&byte: &u8| if byte == 0 { b' ' } else { byte };
    Some(text(&raw.get(..=end)?.iter().map(blank).collect::<Vec<_>>()))
}

fn real_uid(raw: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(raw);
    let line = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Of the lines `number:controllers:path` the path of the unified hierarchy, or the longest where that says nothing.
fn cgroup(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let unified =
        text.lines().find_map(|line| line.strip_prefix("0::")).filter(|path| *path != "/");
    unified.or_else(|| paths.max_by_key(|path| path.len())).map(str::to_owned)
}

/// Refuses where pids are not the kernel's own: what BPF and the connector say would name others.
pub(crate) fn in_first_pid_namespace() -> io::Result<()> {
    /// `PROC_PID_INIT_INO`.
    const FIRST: u64 = 0xEFFF_FFFC;
    if fs::metadata("/proc/self/ns/pid")?.ino() == FIRST {
        return Ok(());
    }
    Err(io::Error::other("process ids are a container's own here"))
}

/// Puts the calling thread before others where that is permitted: programs that live a
/// millisecond have to be looked at within it.
pub(crate) fn hurry() {
    /// As far as a desktop's sound goes.
    const NICE: i32 = -11;
    // SAFETY: integers only; 0 is the calling thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}

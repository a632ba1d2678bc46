//! The system call bpf(2): maps, programs, and attaching them.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

const MAP_CREATE: i32 = 0;
const MAP_LOOKUP: i32 = 1;
const MAP_UPDATE: i32 = 2;
const PROG_LOAD: i32 = 5;
const LINK_CREATE: i32 = 28;
/// Length of `union bpf_attr` as far as it is used here; the kernel takes the rest for zeroes.
const ATTR: usize = 128;
/// Times that a program is offered again.
const LOAD_TRIES: usize = 10;
/// Nothing these programs call is kept for programs under the kernel's own licence.
const LICENSE: &[u8] = b"Apache-2.0\0";

/// Kinds of maps.
#[derive(Clone, Copy)]
pub(crate) enum Map {
    Hash = 1,
    Array = 2,
    Recent = 9,
    Sockets = 15,
    Ring = 27,
}

/// A program ready to be loaded: its name, and what it is attached to (`enum bpf_prog_type`,
/// `bpf_attach_type`).
pub(crate) struct Code {
    pub(crate) name: &'static str,
    pub(crate) kind: u32,
    pub(crate) attach: u32,
    pub(crate) instructions: Vec<[u8; 8]>,
}

/// `union bpf_attr`, field by field.
struct Attr([u8; ATTR]);

impl Attr {
    fn new() -> Self {
        Self([0; ATTR])
    }

    fn bytes(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
        self
    }

    fn word(self, at: usize, value: u32) -> Self {
        self.bytes(at, &value.to_ne_bytes())
    }

    /// The address of something that has to live through the call.
    fn pointer<T>(self, at: usize, value: *const T) -> Self {
        self.bytes(at, &(value as u64).to_ne_bytes())
    }

    fn call(&self, command: i32) -> io::Result<i32> {
        let attr = self.0.as_ptr();
        // SAFETY: the attribute is `ATTR` bytes and lives through the call, as do the values its
        // pointers show, which every caller below keeps until this returns.
        let done = unsafe { libc::syscall(libc::SYS_bpf, command, attr, ATTR) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(done as i32) }
    }

    fn open(&self, command: i32) -> io::Result<OwnedFd> {
        let fd = self.call(command)?;
        // SAFETY: a descriptor that was just made and that nothing else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// Makes a map; sizes in bytes.
pub(crate) fn map(kind: Map, key: u32, value: u32, entries: u32) -> io::Result<OwnedFd> {
    let attr = Attr::new().word(0, kind as u32).word(4, key).word(8, value).word(12, entries);
    attr.bytes(28, b"tidegate").open(MAP_CREATE)
}

/// The 64-bit value under key 0 of an array.
pub(crate) fn value(map: RawFd) -> io::Result<u64> {
    let (key, mut value) = (0_u32, 0_u64);
    let attr = Attr::new().word(0, map as u32).pointer(8, &raw const key);
    attr.pointer(16, &raw mut value).call(MAP_LOOKUP)?;
    Ok(value)
}

/// Puts a value under a key. Both have the lengths that the map was made with.
pub(crate) fn put(map: RawFd, key: &[u8], value: &[u8]) -> io::Result<()> {
    let attr = Attr::new().word(0, map as u32).pointer(8, key.as_ptr());
    attr.pointer(16, value.as_ptr()).call(MAP_UPDATE).map(drop)
}

/// Loads a program and attaches it to a control group or network namespace; it runs until the
/// descriptor is closed.
pub(crate) fn attach(code: &Code, place: RawFd) -> io::Result<OwnedFd> {
    let program = load_patiently(code)?;
    let attr = Attr::new().word(0, program.as_raw_fd() as u32).word(4, place as u32);
    attr.word(8, code.attach).open(LINK_CREATE)
}

/// The kernel gives up looking at a program when a signal comes (EAGAIN).
fn load_patiently(code: &Code) -> io::Result<OwnedFd> {
    let busy = |result: &io::Result<OwnedFd>| {
        result.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EAGAIN))
    };
    let mut result = load(code);
    for _ in 0..LOAD_TRIES {
        if !busy(&result) {
            break;
        }
        result = load(code);
    }
    result
}

fn load(code: &Code) -> io::Result<OwnedFd> {
    let attr = Attr::new()
        .word(0, code.kind)
        .word(4, code.instructions.len() as u32)
        .pointer(8, code.instructions.as_ptr())
        .pointer(16, LICENSE.as_ptr())
        .bytes(48, b"tidegate")
        .word(68, code.attach);
    attr.open(PROG_LOAD)
}

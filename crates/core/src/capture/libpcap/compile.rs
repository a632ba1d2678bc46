//! Filter expressions to BPF programs, by libpcap's compiler.
#![allow(unsafe_code)]

use std::ffi::{CString, c_int, c_uint};

use super::{Handle, Libpcap, dlt};
use crate::capture::filter::bpf::Instruction;
use crate::packet::LinkType;

/// What libpcap calls "unknown": `ip broadcast` cannot be compiled then, all else can.
const NETMASK_UNKNOWN: c_uint = 0xffff_ffff;
/// The longest program a kernel takes (`BPF_MAXINSNS`) is 4096; libpcap's own are not bounded.
const MAX_PROGRAM: usize = 1 << 20;

/// `struct bpf_program`.
#[repr(C)]
pub(super) struct BpfProgram {
    len: c_uint,
    code: *mut Instruction,
}

/// A program in libpcap's memory.
pub(super) struct Compiled<'a> {
    pub(super) program: BpfProgram,
    library: &'a Libpcap,
}

impl Libpcap {
    /// Compiles `filter` for packets of a link type as they lie in files.
    pub(crate) fn compile(
        &self,
        filter: &str,
        link: LinkType,
        snaplen: u32,
    ) -> Result<Vec<Instruction>, String> {
        let snaplen = c_int::try_from(snaplen).unwrap_or(c_int::MAX);
        // SAFETY: takes two numbers; gives a handle that `Handle` closes, or null.
        let pcap = unsafe { (self.functions().open_dead)(dlt(link), snaplen) };
        let handle = Handle::new(self, pcap).ok_or("libpcap is out of memory")?;
        Ok(handle.compile(filter)?.instructions())
    }

    /// Compiles `filter` for a running kernel: with its special loads for VLAN tags it has
    /// stripped and for direction. `None` if libpcap cannot open the interface, or would see
    /// other headers there than `link`.
    #[cfg(target_os = "linux")]
    pub(crate) fn compile_live(
        &self,
        filter: &str,
        interface: &str,
        link: LinkType,
        snaplen: u32,
    ) -> Option<Result<Vec<Instruction>, String>> {
        let handle = self.create(interface).ok()?;
        let (functions, pcap) = (self.functions(), handle.as_ptr());
        let snaplen = c_int::try_from(snaplen).unwrap_or(c_int::MAX);
        // SAFETY: the handle is open and not yet active, as these three want it.
        let activated = unsafe {
            (functions.set_snaplen)(pcap, snaplen);
            (functions.set_buffer_size)(pcap, 1 << 16);
            (functions.activate)(pcap)
        };
        // SAFETY: the handle is open; asked only when it is active.
        let same = activated >= 0 && unsafe { (functions.datalink)(pcap) } == dlt(link);
        same.then(|| Ok(handle.compile(filter)?.instructions()))
    }
}

impl Handle {
    pub(super) fn compile(&self, filter: &str) -> Result<Compiled<'_>, String> {
        const OPTIMIZE: c_int = 1;
        let filter = CString::new(filter).map_err(|_| "it contains a zero byte")?;
        let mut program = BpfProgram { len: 0, code: std::ptr::null_mut() };
        // SAFETY: handle and text are live; libpcap fills `program` when it returns 0.
        let failed = unsafe {
            (self.functions().compile)(
                self.as_ptr(),
                &raw mut program,
                filter.as_ptr(),
                OPTIMIZE,
                NETMASK_UNKNOWN,
            )
        };
        if failed != 0 {
            return Err(self.error());
        }
        Ok(Compiled { program, library: &self.library })
    }
}

impl Compiled<'_> {
    fn instructions(&self) -> Vec<Instruction> {
        let len = (self.program.len as usize).min(MAX_PROGRAM);
        if self.program.code.is_null() {
            return Vec::new();
        }
        // SAFETY: `program` describes `len` instructions that libpcap has made, with the
        // layout of `Instruction`; they are copied before they are freed.
        unsafe { std::slice::from_raw_parts(self.program.code, len) }.to_vec()
    }
}

impl Drop for Compiled<'_> {
    fn drop(&mut self) {
        // SAFETY: frees what `compile` has made, once.
        unsafe { (self.library.functions().freecode)(&raw mut self.program) };
    }
}

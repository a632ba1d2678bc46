//! libpcap, opened at run time and used for one thing: its filter compiler.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_uint};
use std::ptr::NonNull;

use libloading::Library;

use super::bpf::Instruction;
use crate::packet::LinkType;

/// Where the library is looked for, in this order.
const NAMES: &[&str] = if cfg!(windows) {
    &[r"C:\Windows\System32\Npcap\wpcap.dll", "wpcap.dll"]
} else if cfg!(target_os = "macos") {
    &["/usr/lib/libpcap.A.dylib", "libpcap.dylib"]
} else {
    &["libpcap.so.1", "libpcap.so.0.8", "libpcap.so"]
};

const MISSING: &str = "filters need libpcap, which is not installed (Debian and Ubuntu: \
     libpcap0.8, Fedora and Alpine: libpcap, Windows: Npcap)";

/// What libpcap calls "unknown": `ip broadcast` cannot be compiled then, all else can.
const NETMASK_UNKNOWN: c_uint = 0xffff_ffff;
const ERROR_BUFFER: usize = 256;
/// The longest program a kernel takes (`BPF_MAXINSNS`) is 4096; libpcap's own are not bounded.
const MAX_PROGRAM: usize = 1 << 20;

/// `pcap_t`, which only libpcap looks into.
#[repr(C)]
struct Pcap {
    _private: [u8; 0],
}

/// `struct bpf_program`.
#[repr(C)]
struct BpfProgram {
    len: c_uint,
    code: *mut Instruction,
}

/// libpcap's functions that we use, with its own names and signatures.
struct Functions {
    open_dead: unsafe extern "C" fn(c_int, c_int) -> *mut Pcap,
    create: unsafe extern "C" fn(*const c_char, *mut c_char) -> *mut Pcap,
    set_snaplen: unsafe extern "C" fn(*mut Pcap, c_int) -> c_int,
    set_buffer_size: unsafe extern "C" fn(*mut Pcap, c_int) -> c_int,
    activate: unsafe extern "C" fn(*mut Pcap) -> c_int,
    datalink: unsafe extern "C" fn(*mut Pcap) -> c_int,
    compile:
        unsafe extern "C" fn(*mut Pcap, *mut BpfProgram, *const c_char, c_int, c_uint) -> c_int,
    freecode: unsafe extern "C" fn(*mut BpfProgram),
    geterr: unsafe extern "C" fn(*mut Pcap) -> *mut c_char,
    close: unsafe extern "C" fn(*mut Pcap),
}

/// The opened library.
pub(crate) struct Libpcap {
    functions: Functions,
    // Keeps the functions in memory.
    _library: Library,
}

impl Libpcap {
    /// Opens the library; the error says which package has it.
    pub(crate) fn open() -> Result<Self, String> {
        NAMES
            .iter()
            .find_map(|name| Self::load(name))
            .ok_or_else(|| MISSING.to_owned())
    }

    fn load(name: &str) -> Option<Self> {
        // SAFETY: libpcap's initialisers do nothing beyond their own data.
        let library = unsafe { Library::new(name) }.ok()?;
        // SAFETY: each name is looked up with the signature that pcap(3) documents for it,
        // and the pointers are kept together with the library they point into.
        let functions = unsafe {
            Functions {
                open_dead: *library.get("pcap_open_dead").ok()?,
                create: *library.get("pcap_create").ok()?,
                set_snaplen: *library.get("pcap_set_snaplen").ok()?,
                set_buffer_size: *library.get("pcap_set_buffer_size").ok()?,
                activate: *library.get("pcap_activate").ok()?,
                datalink: *library.get("pcap_datalink").ok()?,
                compile: *library.get("pcap_compile").ok()?,
                freecode: *library.get("pcap_freecode").ok()?,
                geterr: *library.get("pcap_geterr").ok()?,
                close: *library.get("pcap_close").ok()?,
            }
        };
        Some(Self {
            functions,
            _library: library,
        })
    }

    /// Compiles `filter` for packets of a link type as they lie in files.
    pub(crate) fn compile(
        &self,
        filter: &str,
        link: LinkType,
        snaplen: u32,
    ) -> Result<Vec<Instruction>, String> {
        let snaplen = c_int::try_from(snaplen).unwrap_or(c_int::MAX);
        // SAFETY: takes two numbers; gives a handle that `Handle` closes, or null.
        let pcap = unsafe { (self.functions.open_dead)(dlt(link), snaplen) };
        let handle = Handle::new(self, pcap).ok_or("libpcap is out of memory")?;
        handle.compile(filter)
    }

    /// Compiles `filter` for a running kernel: with its special loads for VLAN tags it has
    /// stripped and for direction. `None` if libpcap cannot open the interface, or would see
    /// other headers there than `link`.
    pub(crate) fn compile_live(
        &self,
        filter: &str,
        interface: &str,
        link: LinkType,
        snaplen: u32,
    ) -> Option<Result<Vec<Instruction>, String>> {
        let interface = CString::new(interface).ok()?;
        let mut error = [0; ERROR_BUFFER];
        // SAFETY: the name ends in 0 and the buffer has the size that libpcap asks for.
        let pcap = unsafe { (self.functions.create)(interface.as_ptr(), error.as_mut_ptr()) };
        let handle = Handle::new(self, pcap)?;
        let snaplen = c_int::try_from(snaplen).unwrap_or(c_int::MAX);
        // SAFETY: the handle is open and not yet active, as these three want it.
        let activated = unsafe {
            (self.functions.set_snaplen)(pcap, snaplen);
            (self.functions.set_buffer_size)(pcap, 1 << 16);
            (self.functions.activate)(pcap)
        };
        // SAFETY: the handle is open; asked only when it is active.
        let same = activated >= 0 && unsafe { (self.functions.datalink)(pcap) } == dlt(link);
        same.then(|| handle.compile(filter))
    }
}

/// libpcap numbers types as the host system does, which differs from files for raw IP only.
fn dlt(link: LinkType) -> c_int {
    match link {
        LinkType::RAW => c_int::from(LinkType::RAW_DLT.0),
        other => c_int::from(other.0),
    }
}

struct Handle<'a> {
    library: &'a Libpcap,
    pcap: NonNull<Pcap>,
}

impl<'a> Handle<'a> {
    fn new(library: &'a Libpcap, pcap: *mut Pcap) -> Option<Self> {
        Some(Self {
            library,
            pcap: NonNull::new(pcap)?,
        })
    }

    fn compile(&self, filter: &str) -> Result<Vec<Instruction>, String> {
        const OPTIMIZE: c_int = 1;
        let filter = CString::new(filter).map_err(|_| "it contains a zero byte")?;
        let mut program = BpfProgram {
            len: 0,
            code: std::ptr::null_mut(),
        };
        let functions = &self.library.functions;
        // SAFETY: handle and text are live; libpcap fills `program` when it returns 0.
        let failed = unsafe {
            (functions.compile)(
                self.pcap.as_ptr(),
                &raw mut program,
                filter.as_ptr(),
                OPTIMIZE,
                NETMASK_UNKNOWN,
            )
        };
        if failed != 0 {
            return Err(self.error());
        }
        let len = (program.len as usize).min(MAX_PROGRAM);
        let code = if program.code.is_null() {
            Vec::new()
        } else {
            // SAFETY: `program` describes `len` instructions that libpcap has made, with the
            // layout of `Instruction`; they are copied before they are freed.
            unsafe { std::slice::from_raw_parts(program.code, len) }.to_vec()
        };
        // SAFETY: frees what `compile` has made, once.
        unsafe { (functions.freecode)(&raw mut program) };
        Ok(code)
    }

    fn error(&self) -> String {
        // SAFETY: the handle is live, and its error text ends in 0.
        let text = unsafe { CStr::from_ptr((self.library.functions.geterr)(self.pcap.as_ptr())) };
        text.to_string_lossy().into_owned()
    }
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        // SAFETY: closes a handle that is open and used by nobody else.
        unsafe { (self.library.functions.close)(self.pcap.as_ptr()) }
    }
}

//! libpcap (Npcap on Windows), opened at run time: for its filter compiler everywhere, and
//! for capture itself where the system has no packet rings.
#![allow(unsafe_code)]

mod compile;
mod devices;
mod live;

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr::NonNull;
use std::sync::Arc;

use libloading::Library;

use self::compile::BpfProgram;
use self::devices::Device;
use self::live::{Handler, Statistics};
pub(crate) use self::live::{LiveHandle, NotOpened, Options};
use crate::packet::LinkType;

/// Where the library is looked for, in this order.
const NAMES: &[&str] = if cfg!(windows) {
    &[r"C:\Windows\System32\Npcap\wpcap.dll", "wpcap.dll"]
} else if cfg!(target_os = "macos") {
    &["/usr/lib/libpcap.A.dylib", "libpcap.dylib"]
} else {
    &["libpcap.so.1", "libpcap.so.0.8", "libpcap.so"]
};

/// Size of the buffers that libpcap writes errors to (`PCAP_ERRBUF_SIZE`).
const ERROR_BUFFER: usize = 256;

/// `pcap_t`, which only libpcap looks into.
#[repr(C)]
struct Pcap {
    _private: [u8; 0],
}

/// libpcap's functions that we use, with its own names and signatures. Those that older
/// versions lack are optional.
struct Functions {
    open_dead: unsafe extern "C" fn(c_int, c_int) -> *mut Pcap,
    create: unsafe extern "C" fn(*const c_char, *mut c_char) -> *mut Pcap,
    set_snaplen: unsafe extern "C" fn(*mut Pcap, c_int) -> c_int,
    set_promisc: unsafe extern "C" fn(*mut Pcap, c_int) -> c_int,
    set_timeout: unsafe extern "C" fn(*mut Pcap, c_int) -> c_int,
    set_buffer_size: unsafe extern "C" fn(*mut Pcap, c_int) -> c_int,
    /// Since 1.5.
    set_tstamp_precision: Option<unsafe extern "C" fn(*mut Pcap, c_int) -> c_int>,
    get_tstamp_precision: Option<unsafe extern "C" fn(*mut Pcap) -> c_int>,
    activate: unsafe extern "C" fn(*mut Pcap) -> c_int,
    datalink: unsafe extern "C" fn(*mut Pcap) -> c_int,
    setnonblock: unsafe extern "C" fn(*mut Pcap, c_int, *mut c_char) -> c_int,
    #[cfg(unix)]
    get_selectable_fd: unsafe extern "C" fn(*mut Pcap) -> c_int,
    dispatch: unsafe extern "C" fn(*mut Pcap, c_int, Handler, *mut u8) -> c_int,
    stats: unsafe extern "C" fn(*mut Pcap, *mut Statistics) -> c_int,
    compile:
        unsafe extern "C" fn(*mut Pcap, *mut BpfProgram, *const c_char, c_int, c_uint) -> c_int,
    setfilter: unsafe extern "C" fn(*mut Pcap, *mut BpfProgram) -> c_int,
    freecode: unsafe extern "C" fn(*mut BpfProgram),
    findalldevs: unsafe extern "C" fn(*mut *mut Device, *mut c_char) -> c_int,
    freealldevs: unsafe extern "C" fn(*mut Device),
    geterr: unsafe extern "C" fn(*mut Pcap) -> *mut c_char,
    close: unsafe extern "C" fn(*mut Pcap),
}

/// The opened library; cheap to clone, closed with its last clone and handle.
#[derive(Clone)]
pub(crate) struct Libpcap(Arc<Opened>);

struct Opened {
    functions: Functions,
    // Keeps the functions in memory.
    _library: Library,
}

impl Libpcap {
    /// Opens the library; the error says which package has it. `wanted_for` begins its
    /// sentence: "filters need".
    pub(crate) fn open(wanted_for: &str) -> Result<Self, String> {
        Self::open_first(NAMES, wanted_for)
    }

    /// The same with the first of these file names that there is.
    pub(crate) fn open_first(names: &[&str], wanted_for: &str) -> Result<Self, String> {
        names.iter().find_map(|name| Self::load(name)).ok_or_else(|| {
            format!(
                "{wanted_for} libpcap, which is not installed (Debian and Ubuntu: libpcap0.8, \
                 Fedora and Alpine: libpcap, Windows: Npcap from npcap.com)"
            )
        })
    }

    fn load(name: &str) -> Option<Self> {
        let library = load_library(name)?;
        // SAFETY: each name is looked up with the signature that pcap(3) documents for it,
        // and the pointers are kept together with the library they point into.
        let functions = unsafe {
            Functions {
                open_dead: *library.get("pcap_open_dead").ok()?,
                create: *library.get("pcap_create").ok()?,
                set_snaplen: *library.get("pcap_set_snaplen").ok()?,
                set_promisc: *library.get("pcap_set_promisc").ok()?,
                set_timeout: *library.get("pcap_set_timeout").ok()?,
                set_buffer_size: *library.get("pcap_set_buffer_size").ok()?,
                set_tstamp_precision: library.get("pcap_set_tstamp_precision").ok().map(|f| *f),
                get_tstamp_precision: library.get("pcap_get_tstamp_precision").ok().map(|f| *f),
                activate: *library.get("pcap_activate").ok()?,
                datalink: *library.get("pcap_datalink").ok()?,
                setnonblock: *library.get("pcap_setnonblock").ok()?,
                #[cfg(unix)]
                get_selectable_fd: *library.get("pcap_get_selectable_fd").ok()?,
                dispatch: *library.get("pcap_dispatch").ok()?,
                stats: *library.get("pcap_stats").ok()?,
                compile: *library.get("pcap_compile").ok()?,
                setfilter: *library.get("pcap_setfilter").ok()?,
                freecode: *library.get("pcap_freecode").ok()?,
                findalldevs: *library.get("pcap_findalldevs").ok()?,
                freealldevs: *library.get("pcap_freealldevs").ok()?,
                geterr: *library.get("pcap_geterr").ok()?,
                close: *library.get("pcap_close").ok()?,
            }
        };
        Some(Self(Arc::new(Opened { functions, _library: library })))
    }

    fn functions(&self) -> &Functions {
        &self.0.functions
    }
}

#[cfg(not(windows))]
fn load_library(name: &str) -> Option<Library> {
    // SAFETY: libpcap's initialisers do nothing beyond their own data.
    unsafe { Library::new(name) }.ok()
}

/// Npcap's own folder is not where Windows looks for what wpcap.dll needs (Packet.dll), unless
/// told so.
#[cfg(windows)]
fn load_library(name: &str) -> Option<Library> {
    use libloading::os::windows;

    let flags = if name.contains('\\') {
        windows::LOAD_WITH_ALTERED_SEARCH_PATH
    } else {
        windows::LOAD_LIBRARY_SEARCH_SYSTEM32
    };
    // SAFETY: Npcap's initialisers do nothing beyond their own data.
    let library = unsafe { windows::Library::load_with_flags(name, flags) };
    library.ok().map(Library::from)
}

/// A `pcap_t` of ours, with the library it needs.
struct Handle {
    library: Libpcap,
    pcap: NonNull<Pcap>,
}

// SAFETY: libpcap ties no handle to a thread; it wants only one at a time to use one, which
// is so since a handle is not shared (no `Sync`).
unsafe impl Send for Handle {}

impl Handle {
    fn new(library: &Libpcap, pcap: *mut Pcap) -> Option<Self> {
        Some(Self { library: library.clone(), pcap: NonNull::new(pcap)? })
    }

    fn functions(&self) -> &Functions {
        self.library.functions()
    }

    fn as_ptr(&self) -> *mut Pcap {
        self.pcap.as_ptr()
    }

    fn error(&self) -> String {
        // SAFETY: the handle is live, and its error text ends in 0.
        let text = unsafe { CStr::from_ptr((self.functions().geterr)(self.as_ptr())) };
        text.to_string_lossy().into_owned()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: closes a handle that is open and used by nobody else.
        unsafe { (self.functions().close)(self.as_ptr()) }
    }
}

/// The text in an error buffer.
fn text(buffer: &[c_char; ERROR_BUFFER]) -> String {
    let bytes: Vec<u8> = buffer.iter().map(|&c| c as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// libpcap numbers types as the host system does, which differs from files for few.
const DLT_RAW: c_int = if cfg!(target_os = "openbsd") { 14 } else { 12 };
const DLT_LOOP: c_int = if cfg!(target_os = "openbsd") { 12 } else { 108 };

fn dlt(link: LinkType) -> c_int {
    match link {
        LinkType::RAW => DLT_RAW,
        LinkType::LOOP => DLT_LOOP,
        other => c_int::from(other.0),
    }
}

fn link(dlt: c_int) -> LinkType {
    match dlt {
        DLT_RAW => LinkType::RAW,
        DLT_LOOP => LinkType::LOOP,
        other => LinkType(u16::try_from(other).unwrap_or(u16::MAX)),
    }
}

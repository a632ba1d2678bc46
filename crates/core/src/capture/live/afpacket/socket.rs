//! The packet socket under a ring: its options, its filter, its state.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_uint, c_void};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::capture::filter::bpf::Instruction;
use crate::capture::live::Opener;

/// A packet socket. It takes nothing before [`PacketSocket::bind`], so that filter and ring
/// are in place when the first packet comes.
pub(crate) struct PacketSocket {
    fd: OwnedFd,
}

impl PacketSocket {
    /// `kind` is `SOCK_RAW` (with the link header) or `SOCK_DGRAM` (from the network header on).
    /// Nothing but its making takes a privilege.
    pub(crate) fn new(kind: c_int, opener: &Opener) -> io::Result<Self> {
        if let Opener::Helper(helper) = opener {
            return Ok(Self { fd: super::helper::ask(helper, kind)? });
        }
        // SAFETY: no pointers; a descriptor or -1 comes back.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind | libc::SOCK_CLOEXEC, 0) };
        check(fd)?;
        // SAFETY: `fd` is a descriptor that was just made and that nothing else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd })
    }

    /// Sets an option of the packet level; `value` is what `packet(7)` names for it.
    pub(crate) fn set<T: Copy>(&self, option: c_int, value: &T) -> io::Result<()> {
        set_option(self.raw(), libc::SOL_PACKET, option, value)
    }

    /// Lets the kernel hand over only what `program` accepts, cut to what it returns.
    pub(crate) fn attach(&self, program: &[Instruction]) -> io::Result<()> {
        let mut code: Vec<libc::sock_filter> = program.iter().copied().map(kernel_form).collect();
        let len = u16::try_from(code.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let fprog = libc::sock_fprog { len, filter: code.as_mut_ptr() };
        set_option(self.raw(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &fprog)
    }

    /// Starts to take packets of all protocols from the interface with this index.
    pub(crate) fn bind(&self, index: u32) -> io::Result<()> {
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
            sll_ifindex: index as c_int,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: `address` lives through the call and `len` is its size.
        check(unsafe { libc::bind(self.raw(), (&raw const address).cast(), len) })
    }

    /// Whether the interface it was bound to still exists (here; it may have been moved away).
    pub(crate) fn is_bound(&self) -> bool {
        // SAFETY: all zeroes are a valid value of this plain C struct.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        let mut len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: `address` and `len` live through the call, and `len` is the room in `address`.
        let ok = unsafe { libc::getsockname(self.raw(), (&raw mut address).cast(), &raw mut len) };
        ok == 0 && address.sll_ifindex > 0
    }

    /// The error that waits on the socket, such as `ENETDOWN`; reading it clears it.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        match get_option::<c_int>(self.raw(), libc::SOL_SOCKET, libc::SO_ERROR) {
            Ok(0) => None,
            Ok(code) => Some(io::Error::from_raw_os_error(code)),
            Err(error) => Some(error),
        }
    }

    /// Packets dropped because the ring was full, since the last call.
    pub(crate) fn take_drops(&self) -> io::Result<u64> {
        let stats: libc::tpacket_stats_v3 =
            get_option(self.raw(), libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        Ok(u64::from(stats.tp_drops))
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

fn kernel_form(i: Instruction) -> libc::sock_filter {
    libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k }
}

fn set_option<T: Copy>(fd: RawFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let value: *const T = value;
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel only reads `len` bytes from the live `value`.
    check(unsafe { libc::setsockopt(fd, level, name, value.cast::<c_void>(), len) })
}

fn get_option<T: Copy + PlainOption>(fd: RawFd, level: c_int, name: c_int) -> io::Result<T> {
    // SAFETY: `PlainOption` is only given to C types for which all zeroes are a value.
    let mut value: T = unsafe { std::mem::zeroed() };
    let mut len = size_of::<T>() as libc::socklen_t;
    let place = (&raw mut value).cast::<c_void>();
    // SAFETY: the kernel writes at most `len` bytes, the size of the live `value`.
    check(unsafe { libc::getsockopt(fd, level, name, place, &raw mut len) })?;
    Ok(value)
}

/// Integers and structs of integers: every bit pattern is a value.
trait PlainOption {}
impl PlainOption for c_int {}
impl PlainOption for libc::tpacket_stats_v3 {}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The promiscuous membership of an interface; it ends with the socket.
pub(crate) fn promiscuous(index: u32) -> libc::packet_mreq {
    libc::packet_mreq {
        mr_ifindex: index as c_int,
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    }
}

/// What `PACKET_RX_RING` wants to know for a `TPACKET_V3` ring.
pub(crate) fn ring_request(block_size: u32, blocks: u32, retire_ms: c_uint) -> libc::tpacket_req3 {
    libc::tpacket_req3 {
        tp_block_size: block_size,
        tp_block_nr: blocks,
        // Version 3 packs frames of any length; the kernel only checks that this adds up.
        tp_frame_size: block_size,
        tp_frame_nr: blocks,
        tp_retire_blk_tov: retire_ms,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    }
}

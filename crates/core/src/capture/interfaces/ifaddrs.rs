//! The system's list of interfaces and addresses, as `getifaddrs(3)` gives it.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;

/// One line of the list: an interface with one of its addresses.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// `IFF_*`.
    pub(super) flags: u32,
    pub(super) address: Option<Address>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Address {
    /// The interface itself: its index and, on Linux, its hardware type (`ARPHRD_*`).
    Link {
        index: u32,
        hardware: u16,
    },
    Ip(IpAddr),
}

/// Every interface with every address.
pub(super) fn entries() -> io::Result<Vec<Entry>> {
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: the call fills `first` with a list that is ours until freed.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut entries = Vec::new();
    let mut next = first;
    // SAFETY: `next` is null or an entry of the list, which is freed only below.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: each entry has a name that ends in 0, and null or an address of its family.
        let (name, address) = unsafe { (CStr::from_ptr(entry.ifa_name), address(entry.ifa_addr)) };
        // The C library leaves out the link address of what has none, such as a tunnel.
        let address = if entry.ifa_addr.is_null() { link(name) } else { address };
        let name = name.to_string_lossy().into_owned();
        entries.push(Entry { name, flags: entry.ifa_flags, address });
        next = entry.ifa_next;
    }
    // SAFETY: frees the list, once; nothing points into it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(entries)
}

/// Asks the kernel for what the list lacks.
#[cfg(target_os = "linux")]
fn link(name: &CStr) -> Option<Address> {
    // SAFETY: the name ends in 0.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    // SAFETY: all zeroes are a value of this plain C struct.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays 0.
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name.iter_mut().take(room).zip(name.to_bytes()) {
        *to = *from as std::ffi::c_char;
    }
    // Any socket will do.
    let socket = std::os::unix::net::UnixDatagram::unbound().ok()?;
    // SAFETY: the request names an interface, and the kernel fills in its hardware address.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR, &raw mut request) };
    // SAFETY: the kernel has filled this member of the union.
    let hardware = unsafe { request.ifr_ifru.ifru_hwaddr.sa_family };
    (done == 0 && index > 0).then_some(Address::Link { index, hardware })
}

#[cfg(not(target_os = "linux"))]
fn link(_name: &CStr) -> Option<Address> {
    None
}

/// # Safety
/// `address` is null or points to an address as long as its family says.
unsafe fn address(address: *const libc::sockaddr) -> Option<Address> {
    // SAFETY: as the caller promises.
    let family = unsafe { address.as_ref() }?.sa_family;
    match i32::from(family) {
        libc::AF_INET => {
            // SAFETY: the family says what the address is; it may lie unaligned.
            let v4 = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Address::Ip(Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes()).into()))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Address::Ip(Ipv6Addr::from(v6.sin6_addr.s6_addr).into()))
        }
        #[cfg(target_os = "linux")]
        libc::AF_PACKET => {
            // SAFETY: as above.
            let link = unsafe { address.cast::<libc::sockaddr_ll>().read_unaligned() };
            Some(Address::Link { index: link.sll_ifindex as u32, hardware: link.sll_hatype })
        }
        #[cfg(any(
            target_vendor = "apple",
            target_os = "freebsd",
            target_os = "dragonfly",
            target_os = "netbsd",
            target_os = "openbsd"
        ))]
        libc::AF_LINK => {
            // SAFETY: as above.
            let link = unsafe { address.cast::<libc::sockaddr_dl>().read_unaligned() };
            Some(Address::Link { index: u32::from(link.sdl_index), hardware: 0 })
        }
        _ => None,
    }
}

//! The interfaces that libpcap knows, where the system itself is not asked.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_uint};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ERROR_BUFFER, Libpcap, text};
use crate::capture::interfaces::InterfaceInfo;

/// `struct pcap_if`.
#[repr(C)]
pub(super) struct Device {
    next: *mut Device,
    name: *const c_char,
    description: *const c_char,
    addresses: *const DeviceAddress,
    flags: c_uint,
}

/// `struct pcap_addr`; the pointers are to a `struct sockaddr` each.
#[repr(C)]
struct DeviceAddress {
    next: *const DeviceAddress,
    address: *const u8,
    netmask: *const u8,
    broadcast: *const u8,
    destination: *const u8,
}

impl Libpcap {
    /// All interfaces that can be captured from. Their numbers and link types are not known.
    pub(crate) fn devices(&self) -> Result<Vec<InterfaceInfo>, String> {
        let mut first: *mut Device = std::ptr::null_mut();
        let mut error: [c_char; ERROR_BUFFER] = [0; ERROR_BUFFER];
        let functions = self.functions();
        // SAFETY: libpcap fills `first` with a list that is ours until freed, or null, and the
        // buffer has the size that it asks for.
        if unsafe { (functions.findalldevs)(&raw mut first, error.as_mut_ptr()) } != 0 {
            return Err(text(&error));
        }
        let mut found = Vec::new();
        let mut next = first.cast_const();
        // SAFETY: `next` is null or an entry of the list, which is freed only below.
        while let Some(device) = unsafe { next.as_ref() } {
            // SAFETY: the entry is one of libpcap's own.
            found.push(unsafe { info(device) });
            next = device.next;
        }
        if !first.is_null() {
            // SAFETY: frees the list, once; nothing points into it any more.
            unsafe { (functions.freealldevs)(first) };
        }
        Ok(found)
    }
}

/// # Safety
/// The device is in a list that libpcap has made.
unsafe fn info(device: &Device) -> InterfaceInfo {
    const LOOPBACK: c_uint = 1;
    const UP: c_uint = 2;
    const RUNNING: c_uint = 4;
    let on = |flag| device.flags & flag != 0;
    let mut addresses = Vec::new();
    let mut next = device.addresses;
    // SAFETY: `next` is null or an address of the device.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: null, or an address as long as its family says.
        addresses.extend(unsafe { ip(entry.address) });
        next = entry.next;
    }
    // SAFETY: every device has a name that ends in 0.
    let name = unsafe { CStr::from_ptr(device.name) };
    InterfaceInfo {
        name: name.to_string_lossy().into_owned(),
        up: on(UP),
        running: on(UP) && on(RUNNING),
        loopback: on(LOOPBACK),
        addresses,
        ..InterfaceInfo::default()
    }
}

/// A `struct sockaddr` begins with the family in 16 bits, on BSD with its length and the family
/// in 8 bits each; addresses lie at the same place everywhere.
///
/// # Safety
/// `address` is null or points to an address as long as its family says.
unsafe fn ip(address: *const u8) -> Option<IpAddr> {
    const AF_INET: u16 = 2;
    #[cfg(unix)]
    const AF_INET6: u16 = libc::AF_INET6 as u16;
    #[cfg(not(unix))]
    const AF_INET6: u16 = 23;
    const BSD: bool = cfg!(any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd"
    ));
    if address.is_null() {
        return None;
    }
    // SAFETY: every address has these two bytes.
    let [first, second] = unsafe { address.cast::<[u8; 2]>().read_unaligned() };
    let family = if BSD { u16::from(second) } else { u16::from_ne_bytes([first, second]) };
    match family {
        // SAFETY: an address of this family has four bytes from its fifth on.
        AF_INET => Some(
            Ipv4Addr::from(unsafe { address.add(4).cast::<[u8; 4]>().read_unaligned() }).into(),
        ),
        // SAFETY: an address of this family has sixteen bytes from its ninth on.
        AF_INET6 => Some(
            Ipv6Addr::from(unsafe { address.add(8).cast::<[u8; 16]>().read_unaligned() }).into(),
        ),
        _ => None,
    }
}

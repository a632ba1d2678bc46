//! The machine's network interfaces: names, states, addresses.

mod changes;
#[cfg(unix)]
mod ifaddrs;

use std::net::IpAddr;

pub(crate) use self::changes::LinkChanges;
use crate::capture::libpcap::Libpcap;
use crate::error::Error;

/// A network interface of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceInfo {
    /// The name, such as `eth0`.
    pub name: String,
    /// The kernel's number for it.
    pub index: u32,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it is on and has a carrier.
    pub running: bool,
    /// Whether what it sends comes back to this machine.
    pub loopback: bool,
    /// What its packets start with (see [`crate::LinkType::name`]); empty where it cannot be
    /// captured.
    pub link: String,
    /// Its IPv4 and IPv6 addresses.
    pub addresses: Vec<IpAddr>,
    /// The hardware type (`ARPHRD_*` on Linux, 0 elsewhere).
    pub(crate) hardware: u16,
}

/// All interfaces in the order of their numbers.
#[cfg(unix)]
pub fn interfaces() -> Result<Vec<InterfaceInfo>, Error> {
    use self::ifaddrs::{Address, entries};

    let entries = entries()?;
    let mut found: Vec<InterfaceInfo> = Vec::new();
    for entry in &entries {
        if let Some(Address::Link { index, hardware }) = entry.address {
            let on = |flag: i32| entry.flags & flag as u32 != 0;
            found.push(InterfaceInfo {
                name: entry.name.clone(),
                index,
                up: on(libc::IFF_UP),
                running: on(libc::IFF_UP) && on(libc::IFF_RUNNING),
                loopback: on(libc::IFF_LOOPBACK),
                link: link_name(hardware),
                addresses: Vec::new(),
                hardware,
            });
        }
    }
    for entry in &entries {
        // An alias (eth0:1) has addresses under its own name, but is no interface.
        let name = entry.name.split(':').next().unwrap_or_default();
        if let Some(Address::Ip(address)) = entry.address
            && let Some(interface) =
                found.iter_mut().find(|i| i.name == entry.name || i.name == name)
        {
            interface.addresses.push(address);
        }
    }
    found.sort_by_key(|interface| interface.index);
    Ok(found)
}

#[cfg(target_os = "linux")]
fn link_name(hardware: u16) -> String {
    let link = super::live::Framing::of(hardware).link();
    link.name().unwrap_or_default().to_owned()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn link_name(_hardware: u16) -> String {
    String::new()
}

/// All interfaces, as libpcap lists them.
#[cfg(not(unix))]
pub fn interfaces() -> Result<Vec<InterfaceInfo>, Error> {
    interfaces_by_libpcap()
}

/// All interfaces that libpcap can capture from, without their numbers and link types.
pub fn interfaces_by_libpcap() -> Result<Vec<InterfaceInfo>, Error> {
    let libpcap = Libpcap::open("listing interfaces by libpcap needs").map_err(Error::Usage)?;
    libpcap
        .devices()
        .map_err(|reason| Error::Usage(format!("libpcap cannot list interfaces: {reason}")))
}

//! The two ends of a socket, seen from its own side.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Protocol, addresses and ports of a socket. Addresses of IPv4 within IPv6 are IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// `IPPROTO_TCP` or `IPPROTO_UDP`.
    pub proto: u8,
    /// The local address; unspecified where it takes any.
    pub local: IpAddr,
    /// The local port.
    pub local_port: u16,
    /// The other end; unspecified where there is none, or none yet.
    pub remote: IpAddr,
    /// The other end's port; 0 where there is none.
    pub remote_port: u16,
    /// Whether an unspecified IPv6 address stands for IPv4 as well.
    pub both: bool,
}

/// TCP's number.
pub(crate) const TCP: u8 = 6;
/// UDP's number.
pub(crate) const UDP: u8 = 17;

impl Ends {
    /// The protocol's name in rows.
    pub fn protocol(&self) -> &'static str {
        if self.proto == UDP { "udp" } else { "tcp" }
    }

    /// The local address as told: `*` where it takes any of both families.
    pub fn local_text(&self) -> String {
        if self.both && self.local.is_unspecified() {
            "*".to_owned()
        } else {
            self.local.to_string()
        }
    }

    /// The other end as told, if there is one.
    pub fn remote_text(&self) -> Option<String> {
        (self.remote_port != 0).then(|| self.remote.to_string())
    }

    /// The same with IPv4 within IPv6 taken out.
    pub(crate) fn plain(mut self) -> Self {
        self.local = self.local.to_canonical();
        self.remote = self.remote.to_canonical();
        if self.local.is_ipv4() && self.remote.is_unspecified() {
            self.remote = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        }
        if self.local.is_unspecified() && self.remote.is_ipv4() {
            self.local = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        }
        self.both &= self.local.is_ipv6();
        self
    }
}

/// An address from its bytes in network order: 4 of them, or 16.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::V4(Ipv4Addr::from(four)));
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| IpAddr::V6(Ipv6Addr::from(sixteen)))
}

//! Wide ports: new connections to any of thousands of ports come to one listening socket.
//!
//! A BPF program of type `sk_lookup` (Linux 5.9 and newer) is asked by the kernel which socket a
//! new connection is for, before the table of listening sockets is. Packets stay as they are, so
//! the accepted socket's own name (getsockname) says which port was asked for. Connections that
//! exist, the machine's outgoing ones among them, never come here.

use std::net::{IpAddr, SocketAddr};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod sk_lookup;
#[cfg(all(test, target_os = "linux"))]
mod tests;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::SkLookup;
#[cfg(target_os = "linux")]
pub use sk_lookup::SkLookup;

/// Ports from the first to the second, both included.
pub type PortRange = (u16, u16);

/// What is steered.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The address that was connected to; the unspecified one stands for all of its family.
    pub ip: IpAddr,
    /// The ports that were.
    pub ports: Vec<PortRange>,
    /// Addresses and ports that are left alone all the same: backends on this machine.
    pub spared: Vec<SocketAddr>,
}

/// Why ports cannot be steered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

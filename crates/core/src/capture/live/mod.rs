//! Live interfaces: through Linux's packet rings, or through libpcap on any system.

#[cfg(target_os = "linux")]
mod afpacket;
mod choose;
mod config;
pub mod dedup;
mod lookout;
mod memory;
mod names;
mod news;
mod opener;
mod pcap_tap;
mod ports;
#[cfg(target_os = "linux")]
mod ring_tap;
mod roster;
mod source;
mod switched;
mod tap;
mod wake;

#[cfg(target_os = "linux")]
pub(super) use afpacket::Framing;
pub use config::LiveConfig;
pub use opener::Opener;
pub use source::{LINGER, LiveSource};
pub use wake::Waker;
#[cfg(target_os = "linux")]
pub(crate) use wake::Wakeup;

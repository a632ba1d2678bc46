//! Live interfaces: Linux's packet rings; one clear error elsewhere.

#[cfg(target_os = "linux")]
mod afpacket;
mod config;
pub mod dedup;
#[cfg(target_os = "linux")]
mod port;
#[cfg(target_os = "linux")]
mod source;
#[cfg(not(target_os = "linux"))]
#[path = "unsupported.rs"]
mod source;
#[cfg(target_os = "linux")]
mod wake;

#[cfg(target_os = "linux")]
pub(super) use afpacket::Framing;
pub use config::LiveConfig;
pub use source::{LINGER, LiveSource, Waker};

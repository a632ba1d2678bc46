//! What a live capture can be told.

use super::opener::Opener;
use crate::capture::filter::WHOLE;

/// Settings of a live capture, fixed for its life.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// Names of interfaces; a name given twice counts once, none (or `any`) means all that
    /// are up, now or later.
    pub interfaces: Vec<String>,
    /// A BPF expression as tcpdump takes it.
    pub filter: Option<String>,
    /// Bytes kept of each packet.
    pub snaplen: u32,
    /// Whether frames for other machines are taken as well.
    pub promiscuous: bool,
    /// Kernel memory for packets in all, in bytes, shared equally by the interfaces. Where all
    /// are meant, a quarter is kept for those that come later. At 256 KiB each (512 KiB by
    /// libpcap) it gives no more: from there on the sum grows with the number of interfaces.
    pub ring_bytes: usize,
    /// Whether a packet seen on several interfaces counts once.
    pub dedup: bool,
    /// Who opens packet sockets.
    pub opener: Opener,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            filter: None,
            snaplen: WHOLE,
            promiscuous: false,
            ring_bytes: 32 << 20,
            dedup: true,
            opener: Opener::Own,
        }
    }
}

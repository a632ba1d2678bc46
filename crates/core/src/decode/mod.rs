//! Packet to Segment: every header from the link to the transport, pure functions all.
//!
//! A packet gives one [`Segment`] for each connection it belongs to: a tunnelled one gives
//! the outer connection's first, then the inner one's.

mod address;
mod arp;
mod checksum;
mod decoder;
mod fragment;
mod ip;
mod link;
mod names;
mod stats;
#[cfg(test)]
mod tests;
mod transport;
mod tunnel;
mod view;

use crate::packet::Nanos;

pub use address::{Address, as_ipv4, is_local, is_multicast, mapped};
pub use arp::{Arp, Mac};
pub use decoder::Decoder;
pub use fragment::Datagram;
pub use stats::{Class, DecodeStats};
pub use transport::{ICMP, ICMP6};

/// What decoding a packet gives, in the order of its headers.
#[derive(Clone, Debug)]
pub enum Decoded<'a> {
    /// A whole segment.
    Segment(Segment<'a>),
    /// A piece of one, to be put together with the others.
    Fragment(Fragment<'a>),
    /// What a machine says of its own addresses.
    Arp(Arp),
}

/// What a packet means to one connection.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// When it was seen.
    pub ts: Nanos,
    /// Index into the source's interfaces.
    pub iface: u16,
    /// 802.1Q VLAN identifier, 0 for none; the inner one of two.
    pub vlan: u16,
    /// Sender.
    pub src: Address,
    /// Receiver.
    pub dst: Address,
    /// Sender's port; the type for ICMP, 0 where the protocol has none.
    pub src_port: u16,
    /// Receiver's port; the code for ICMP.
    pub dst_port: u16,
    /// IP protocol number.
    pub proto: u8,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// The tunnel this was carried in; the preceding segment of the packet is the outer one.
    pub tunnel: Tunnel,
    /// How many IP packets this stands for: more than one when fragments were put together.
    pub packets: u32,
    /// IP bytes on the wire, headers included, of all of them.
    pub ip_bytes: u32,
    /// Transport payload on the wire; more than `payload` holds when the capture was cut.
    pub payload_len: u32,
    /// The transport payload as captured.
    pub payload: &'a [u8],
    /// What the transport header says.
    pub transport: Transport,
    /// False only when checksums are verified and this one is wrong.
    pub checksum_ok: bool,
}

impl Segment<'_> {
    /// Whether it was carried by the segment before it.
    #[inline]
    pub fn is_inner(&self) -> bool {
        self.tunnel != Tunnel::None
    }
}

/// What is particular to a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP (RFC 9293).
    Tcp(Tcp),
    /// UDP (RFC 768).
    Udp,
    /// ICMP or `ICMPv6`: the four bytes after the checksum (echo identifier and sequence).
    Icmp {
        /// Echo identifier, where the type has one.
        id: u16,
        /// Echo sequence number, where the type has one.
        seq: u16,
    },
    /// Anything else, known by its number.
    Other,
}

/// The TCP header's fields that a connection's state depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Sequence number of the first payload byte (of the SYN itself, for one).
    pub seq: u32,
    /// Acknowledgement number; meaningful with [`Tcp::ACK`].
    pub ack: u32,
    /// The flag bits, as in the header's byte 13.
    pub flags: u8,
    /// Receive window as sent, unscaled.
    pub window: u16,
}

impl Tcp {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement field counts.
    pub const ACK: u8 = 0x10;
}

/// What carried an inner packet, with the number that tells tunnels of a kind apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tunnel {
    /// Not tunnelled.
    #[default]
    None,
    /// IPv4 or IPv6 in IPv4 or IPv6 (RFC 2003, RFC 2473), except 6in4.
    IpInIp,
    /// IPv6 in IPv4 (RFC 4213).
    SixInFour,
    /// GRE (RFC 2784), Ethernet inside included.
    Gre,
    /// VXLAN (RFC 7348) with its network identifier.
    Vxlan(u32),
}

/// A piece of an IP packet (RFC 791 section 3.2, RFC 8200 section 4.5).
#[derive(Clone, Debug)]
pub struct Fragment<'a> {
    /// What its whole packet has in common with it.
    pub head: Segment<'a>,
    /// IP identification (32 bits in IPv6).
    pub id: u32,
    /// Where `data` belongs, in bytes.
    pub offset: u32,
    /// Whether more follow.
    pub more: bool,
    /// The piece of the IP payload.
    pub data: &'a [u8],
}

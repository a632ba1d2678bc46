//! The decoder: settings, counters and unfinished fragments, around a walk over each packet.

use super::fragment::{Datagram, Reassembler};
use super::stats::{DecodeStats, Kind, Number, StatsByInterface};
use super::view::View;
use super::{Address, Decoded, Fragment, Segment, Transport, Tunnel};
use crate::config::Config;
use crate::packet::{Nanos, Packet};

/// Packets within packets, at most: what lies deeper is counted, not decoded.
const MAX_DEPTH: u8 = 8;

/// Turns packets into segments. Its only memory is that of unfinished fragments.
#[derive(Debug)]
pub struct Decoder {
    verify: bool,
    stats: StatsByInterface,
    reassembler: Reassembler,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(config: &Config) -> Self {
        Self {
            verify: config.verify_checksums,
            stats: StatsByInterface::default(),
            reassembler: Reassembler::new(config.max_fragment_bytes, config.timeouts.fragment),
        }
    }

    /// Call with every packet. Adds to `out` what is found, the outermost first; a packet
    /// that adds nothing has been counted in [`Self::stats`], and so has every ARP packet.
    #[inline]
    pub fn decode<'a>(&mut self, packet: &Packet<'a>, out: &mut Vec<Decoded<'a>>) {
        let mut walk = Walk {
            stats: self.stats.of_mut(packet.iface),
            out,
            verify: self.verify,
            ts: packet.ts,
            iface: packet.iface,
            vlan: 0,
            tunnel: Tunnel::None,
            depth: 0,
            route: Route::default(),
        };
        walk.link(packet.link, View::new(packet.data, packet.wire_len));
    }

    /// Call with every [`Decoded::Fragment`]. Gives the whole datagram with its last missing
    /// piece.
    pub fn fragment(&mut self, fragment: &Fragment<'_>) -> Option<Datagram> {
        self.reassembler.add(fragment, &mut self.stats)
    }

    /// Call with what [`Self::fragment`] gave. Adds to `out` as [`Self::decode`] does; the
    /// segment before the first one added is that before the last fragment.
    pub fn datagram<'a>(&mut self, datagram: &'a Datagram, out: &mut Vec<Decoded<'a>>) {
        let head = &datagram.head;
        let mut walk = Walk {
            stats: self.stats.of_mut(head.iface),
            out,
            verify: self.verify,
            ts: head.ts,
            iface: head.iface,
            vlan: head.vlan,
            tunnel: head.tunnel,
            depth: 0,
            route: Route::default(),
        };
        let head = Head {
            src: head.src,
            dst: head.dst,
            proto: head.proto,
            ttl: head.ttl,
            packets: head.packets,
            ip_bytes: head.ip_bytes,
        };
        walk.payload(head, View::new(&datagram.data, datagram.head.payload_len));
    }

    /// Call with the interface of a fragment that is left alone because too many packets are
    /// around it.
    pub fn too_deep(&mut self, iface: u16) {
        self.stats.of_mut(iface).count(Kind::TunnelDepth);
    }

    /// Call as packet time passes: fragments that waited too long are given up.
    pub fn expire(&mut self, now: Nanos) {
        self.reassembler.expire(now, &mut self.stats);
    }

    /// Call at the end: every unfinished fragment is given up and counted.
    pub fn finish(&mut self) {
        self.reassembler.clear(&mut self.stats);
    }

    /// What was not decoded, or only with reservations, of the packets of one interface.
    pub fn stats(&self, iface: u16) -> &DecodeStats {
        self.stats.of(iface)
    }
}

/// What the IP header gives to every segment of its packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) src: Address,
    pub(super) dst: Address,
    pub(super) proto: u8,
    pub(super) ttl: u8,
    pub(super) packets: u32,
    pub(super) ip_bytes: u32,
}

/// Addresses that stand in for those of the IPv6 header in checksums (RFC 8200 section 8.1,
/// RFC 6275 section 11.3.1). Only filled when checksums are verified.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Route {
    pub(super) src: Option<Address>,
    pub(super) dst: Option<Address>,
}

/// The way down through one packet.
pub(super) struct Walk<'w, 'a> {
    pub(super) stats: &'w mut DecodeStats,
    pub(super) out: &'w mut Vec<Decoded<'a>>,
    pub(super) verify: bool,
    pub(super) ts: Nanos,
    pub(super) iface: u16,
    pub(super) vlan: u16,
    pub(super) tunnel: Tunnel,
    depth: u8,
    pub(super) route: Route,
}

impl<'a> Walk<'_, 'a> {
    /// A segment with this head, ports, transport and payload.
    #[inline]
    pub(super) fn segment(
        &self,
        head: &Head,
        [src_port, dst_port]: [u16; 2],
        transport: Transport,
        payload: View<'a>,
    ) -> Segment<'a> {
        Segment {
            ts: self.ts,
            iface: self.iface,
            vlan: self.vlan,
            src: head.src,
            dst: head.dst,
            src_port,
            dst_port,
            proto: head.proto,
            ttl: head.ttl,
            tunnel: self.tunnel,
            packets: head.packets,
            ip_bytes: head.ip_bytes,
            payload_len: payload.wire,
            payload: payload.data,
            transport,
            checksum_ok: true,
        }
    }

    /// A header of `need` bytes is not there: `broken` when it was not sent, `cut` when it
    /// was not captured.
    #[cold]
    pub(super) fn short(&mut self, view: View<'a>, need: usize, broken: Kind, cut: Kind) {
        self.stats.count(if (view.wire as usize) < need { broken } else { cut });
    }

    /// Counts what is not decoded.
    pub(super) fn unknown(&mut self, number: Number) {
        self.stats.number(number);
    }

    /// One level down, into a packet that a connection carries. False when it is too deep.
    pub(super) fn enter(&mut self, tunnel: Tunnel) -> bool {
        self.tunnel = tunnel;
        self.deeper()
    }

    /// One level down without a connection around it.
    pub(super) fn deeper(&mut self) -> bool {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.stats.count(Kind::TunnelDepth);
        }
        self.depth <= MAX_DEPTH
    }
}

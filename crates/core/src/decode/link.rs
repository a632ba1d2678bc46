//! Link headers: what lies between the wire and the network layer.

use super::decoder::Walk;
use super::stats::{Kind, Number};
use super::tunnel::ppp_addressed;
use super::view::View;
use crate::packet::LinkType;

const IP4: u16 = 0x0800;
const IP6: u16 = 0x86dd;
/// The first `EtherType`; smaller values are lengths (IEEE 802.3 section 3.2.6).
const FIRST_TYPE: u16 = 0x0600;
/// Tag protocols: 802.1Q, 802.1ad, and two that came before the latter.
const TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];

impl<'a> Walk<'_, 'a> {
    /// A frame of any link type.
    #[inline]
    pub(super) fn link(&mut self, link: LinkType, view: View<'a>) {
        match link {
            LinkType::ETHERNET => self.ethernet(view),
            other => self.other_link(other, view),
        }
    }

    #[inline(never)]
    fn other_link(&mut self, link: LinkType, view: View<'a>) {
        match link {
            LinkType::NULL | LinkType::LOOP => self.loopback(view),
            LinkType::RAW | LinkType::RAW_DLT | LinkType::RAW_OPENBSD => self.ip(view),
            LinkType::IPV4 => self.ip4(view),
            LinkType::IPV6 => self.ip6(view),
            LinkType::LINUX_SLL => self.cooked(view),
            LinkType::LINUX_SLL2 => self.cooked2(view),
            LinkType(9 | 50) => self.ppp(ppp_addressed(view)),
            LinkType(10) => self.fddi(view),
            LinkType(51) => self.pppoe(view),
            LinkType(104) => self.cisco_hdlc(view),
            LinkType(other) => self.unknown(Number::Link(other)),
        }
    }

    /// Ethernet II and 802.3.
    #[inline]
    pub(super) fn ethernet(&mut self, view: View<'a>) {
        let Some(&[.., high, low]) = view.head::<14>() else {
            return self.short(view, 14, Kind::EthernetShort, Kind::LinkCut);
        };
        let rest = view.skip(14);
        match u16::from_be_bytes([high, low]) {
            IP4 => self.ip4(rest),
            kind => self.typed(kind, rest),
        }
    }

    /// What an Ethernet type, or a length in its place, announces.
    #[inline(never)]
    pub(super) fn typed(&mut self, mut kind: u16, mut view: View<'a>) {
        while TAGS.contains(&kind) {
            let Some(&[a, b, c, d]) = view.head::<4>() else {
                return self.short(view, 4, Kind::VlanShort, Kind::LinkCut);
            };
            let vlan = u16::from_be_bytes([a, b]) & 0x0fff;
            // Identifier 0 carries a priority only (802.1Q section 9.6).
            if vlan != 0 {
                self.vlan = vlan;
            }
            kind = u16::from_be_bytes([c, d]);
            view = view.skip(4);
        }
        match kind {
            ..=1500 => self.llc(view.limit(u32::from(kind))),
            1501..FIRST_TYPE => self.stats.count(Kind::EthernetLength),
            FIRST_TYPE.. => self.ethertype(kind, view),
        }
    }

    /// What an `EtherType` announces, without regard to lengths and tags.
    pub(super) fn ethertype(&mut self, kind: u16, view: View<'a>) {
        match kind {
            IP4 => self.ip4(view),
            IP6 => self.ip6(view),
            0x0806 => self.arp(view),
            0x8847 | 0x8848 => self.mpls(view),
            0x8864 => self.pppoe(view),
            0x88e7 => self.provider_bridge(view),
            _ => self.unknown(Number::Ethertype(kind)),
        }
    }

    /// A frame of a customer within one of the provider, behind 4 bytes (802.1Q section 9.7).
    fn provider_bridge(&mut self, view: View<'a>) {
        if self.deeper() {
            self.ethernet(view.skip(4));
        }
    }

    /// FDDI (ISO 9314): a byte of control and two addresses before LLC.
    fn fddi(&mut self, view: View<'a>) {
        match view.data.first() {
            // Tokens and station management hold no LLC.
            Some(control) if control & 0xd0 != 0x50 => self.unknown(Number::Link(10)),
            _ => self.llc(view.skip(13)),
        }
    }

    /// IEEE 802.2 logical link control, and its SNAP extension (RFC 1042).
    fn llc(&mut self, view: View<'a>) {
        let Some(&[sap, from, control]) = view.head::<3>() else {
            return self.short(view, 3, Kind::LlcShort, Kind::LinkCut);
        };
        match (sap, from, control) {
            (0xaa, 0xaa, 3) => self.snap(view),
            (6, 6, 3) => self.ip4(view.skip(3)),
            _ => self.unknown(Number::Sap(sap)),
        }
    }

    fn snap(&mut self, view: View<'a>) {
        let Some(&[_, _, _, a, b, c, high, low]) = view.head::<8>() else {
            return self.short(view, 8, Kind::LlcShort, Kind::LinkCut);
        };
        let kind = u16::from_be_bytes([high, low]);
        match u32::from_be_bytes([0, a, b, c]) {
            // RFC 1042, and 802.1H for protocols that bridges must not translate.
            0 | 0xf8 if kind >= FIRST_TYPE => self.ethertype(kind, view.skip(8)),
            organisation => self.unknown(Number::Snap(organisation, kind)),
        }
    }

    /// Linux "cooked" capture, <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>.
    fn cooked(&mut self, view: View<'a>) {
        let Some(&[_, _, a, b, .., high, low]) = view.head::<16>() else {
            return self.short(view, 16, Kind::CookedShort, Kind::LinkCut);
        };
        self.cooked_type([a, b], [high, low], view.skip(16));
    }

    /// Version 2, <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>.
    fn cooked2(&mut self, view: View<'a>) {
        let Some(&[high, low, _, _, _, _, _, _, a, b, ..]) = view.head::<20>() else {
            return self.short(view, 20, Kind::CookedShort, Kind::LinkCut);
        };
        self.cooked_type([a, b], [high, low], view.skip(20));
    }

    fn cooked_type(&mut self, hardware: [u8; 2], kind: [u8; 2], view: View<'a>) {
        const NETLINK: u16 = 824;
        match u16::from_be_bytes(kind) {
            _ if u16::from_be_bytes(hardware) == NETLINK => self.stats.count(Kind::Netlink),
            // Numbers below the types stand for kinds of frames: 1 for Novell's, 4 for LLC.
            1 => self.unknown(Number::Sap(0xff)),
            4 => self.llc(view),
            kind @ ..FIRST_TYPE => self.unknown(Number::Ethertype(kind)),
            kind => self.typed(kind, view),
        }
    }

    /// BSD loopback: an address family, in whichever byte order its writer had.
    fn loopback(&mut self, view: View<'a>) {
        let Some(bytes) = view.head::<4>() else {
            return self.short(view, 4, Kind::LoopbackShort, Kind::LinkCut);
        };
        // No family needs more than 16 bits: the smaller reading is the right one.
        let family = u32::from_le_bytes(*bytes).min(u32::from_be_bytes(*bytes));
        match family {
            2 => self.ip4(view.skip(4)),
            // Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
            10 | 23 | 24 | 28 | 30 => self.ip6(view.skip(4)),
            // macOS puts an `EtherType` into the lower half for some interfaces.
            0x1_0000.. if bytes[2] >= 6 => {
                self.ethertype(u16::from_be_bytes([bytes[2], bytes[3]]), view.skip(4));
            }
            _ => self.unknown(Number::Family(family)),
        }
    }

    fn cisco_hdlc(&mut self, view: View<'a>) {
        let Some(&[_, _, high, low]) = view.head::<4>() else {
            return self.short(view, 4, Kind::PppShort, Kind::LinkCut);
        };
        self.ethertype(u16::from_be_bytes([high, low]), view.skip(4));
    }
}

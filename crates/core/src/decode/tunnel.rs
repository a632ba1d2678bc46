//! Packets within packets: MPLS, PPP, IP in IP, GRE, ERSPAN, VXLAN.

use super::Tunnel;
use super::decoder::Walk;
use super::stats::{Kind, Number};
use super::view::View;

/// Ports of VXLAN, of its extension, and the one Linux used before there was one.
const VXLAN: u16 = 4789;
const VXLAN_GPE: u16 = 4790;
const VXLAN_LINUX: u16 = 8472;

/// IP in IP (RFC 2003) and IPv6 in either (RFC 2473, RFC 4213).
pub(super) const IPIP: u8 = 4;
pub(super) const IPV6: u8 = 41;

/// Skips the address and control bytes of HDLC framing, where they are (RFC 1662).
pub(super) fn ppp_addressed(view: View<'_>) -> View<'_> {
    if view.data.starts_with(&[0xff, 3]) { view.skip(2) } else { view }
}

impl<'a> Walk<'_, 'a> {
    /// MPLS label stack (RFC 3032). What it carries is not named: the first nibble tells.
    pub(super) fn mpls(&mut self, mut view: View<'a>) {
        loop {
            let Some(&[_, _, bottom, _]) = view.head::<4>() else {
                return self.short(view, 4, Kind::MplsShort, Kind::LinkCut);
            };
            view = view.skip(4);
            if bottom & 1 == 1 {
                break;
            }
        }
        match view.data.first().map(|byte| byte >> 4) {
            None => self.short(view, 1, Kind::MplsShort, Kind::LinkCut),
            Some(4) => self.ip4(view),
            Some(6) => self.ip6(view),
            // The control word of a pseudowire (RFC 4385); Ethernet is what most carry.
            Some(0) if self.deeper() => self.inner_ethernet(view.skip(4)),
            Some(0) => {}
            Some(_) => self.stats.count(Kind::MplsPayload),
        }
    }

    /// PPP over Ethernet, session stage (RFC 2516).
    pub(super) fn pppoe(&mut self, view: View<'a>) {
        let Some(&[_, code, _, _, high, low]) = view.head::<6>() else {
            return self.short(view, 6, Kind::PppShort, Kind::LinkCut);
        };
        if code != 0 {
            return self.stats.count(Kind::PppoeCode);
        }
        self.ppp(view.skip(6).limit(u32::from(u16::from_be_bytes([high, low]))));
    }

    /// PPP (RFC 1661), from its protocol field on, which may be compressed to one byte.
    pub(super) fn ppp(&mut self, view: View<'a>) {
        let (protocol, view) = match *view.data {
            [low, ..] if low & 1 == 1 => (u16::from(low), view.skip(1)),
            [high, low, ..] => (u16::from_be_bytes([high, low]), view.skip(2)),
            _ => return self.short(view, 2, Kind::PppShort, Kind::LinkCut),
        };
        match protocol {
            0x0021 => self.ip4(view),
            0x0057 => self.ip6(view),
            0x0281 | 0x0283 => self.mpls(view),
            _ => self.unknown(Number::Ppp(protocol)),
        }
    }

    /// An IP packet that is the payload of another; `proto` says of which version.
    pub(super) fn inner_ip(&mut self, outer4: bool, proto: u8, view: View<'a>) {
        let six_in_four = outer4 && proto == IPV6;
        if !self.enter(if six_in_four { Tunnel::SixInFour } else { Tunnel::IpInIp }) {
            return;
        }
        match proto {
            IPIP => self.ip4(view),
            _ => self.ip6(view),
        }
    }

    /// A frame within a packet has tags of its own, or none.
    fn inner_ethernet(&mut self, view: View<'a>) {
        self.vlan = 0;
        self.ethernet(view);
    }

    /// GRE (RFC 2784, RFC 2890, routing as in RFC 1701; version 1 as in RFC 2637).
    pub(super) fn gre(&mut self, view: View<'a>) {
        let Some(&[flags, version, high, low]) = view.head::<4>() else {
            return self.short(view, 4, Kind::GreShort, Kind::NetworkCut);
        };
        let set = |bit: u8| usize::from(flags & bit != 0) * 4;
        let number = version & 7;
        let size = match number {
            0 => 4 + (set(0x80) | set(0x40)) + set(0x20) + set(0x10),
            1 => 4 + set(0x20) + set(0x10) + usize::from(version & 0x80 != 0) * 4,
            _ => return self.stats.count(Kind::GreVersion),
        };
        if view.data.len() < size {
            return self.short(view, size, Kind::GreShort, Kind::NetworkCut);
        }
        let mut rest = view.skip(size);
        if number == 0 && flags & 0x40 != 0 {
            let Some(after) = self.gre_routes(rest) else {
                return;
            };
            rest = after;
        }
        self.gre_payload(u16::from_be_bytes([high, low]), flags & 0x10 != 0, rest);
    }

    /// Skips source routes up to the empty one that ends them.
    fn gre_routes(&mut self, mut view: View<'a>) -> Option<View<'a>> {
        loop {
            let Some(&[a, b, _, length]) = view.head::<4>() else {
                self.short(view, 4, Kind::GreShort, Kind::NetworkCut);
                return None;
            };
            view = view.skip(4 + usize::from(length));
            if [a, b, length] == [0, 0, 0] {
                return Some(view);
            }
        }
    }

    fn gre_payload(&mut self, kind: u16, numbered: bool, view: View<'a>) {
        if !self.enter(Tunnel::Gre) {
            return;
        }
        match kind {
            0x6558 => self.inner_ethernet(view),
            // PPTP acknowledges without a payload.
            0x880b if view.wire == 0 => {}
            0x880b => self.ppp(ppp_addressed(view)),
            // ERSPAN: type I has neither sequence number nor header of its own.
            0x88be if !numbered => self.inner_ethernet(view),
            0x88be => self.erspan(8, view),
            0x22eb => self.erspan(12, view),
            _ => self.ethertype(kind, view),
        }
    }

    /// ERSPAN types II and III (draft-foschiano-erspan-03); III may bear a second header.
    fn erspan(&mut self, size: usize, view: View<'a>) {
        if view.data.len() < size {
            return self.short(view, size, Kind::ErspanShort, Kind::NetworkCut);
        }
        let second = size == 12 && view.head::<12>().is_some_and(|head| head[11] & 1 == 1);
        self.inner_ethernet(view.skip(size + usize::from(second) * 8));
    }

    /// VXLAN (RFC 7348), or its protocol extension (draft-ietf-nvo3-vxlan-gpe), if this UDP
    /// payload is that.
    #[inline]
    pub(super) fn vxlan(&mut self, port: u16, view: View<'a>) {
        if matches!(port, VXLAN | VXLAN_GPE | VXLAN_LINUX) {
            self.vxlan_header(port, view);
        }
    }

    #[inline(never)]
    fn vxlan_header(&mut self, port: u16, view: View<'a>) {
        let Some(&[flags, _, _, next, a, b, c, last]) = view.head::<8>() else {
            return;
        };
        // On ports that others use too, the reserved bits must be as they should.
        let fits = match port {
            VXLAN => flags & 8 != 0,
            VXLAN_GPE => flags & 0xcc == 0x0c && matches!(next, 1..=3),
            _ => flags == 8 && last == 0,
        };
        if !fits || !self.enter(Tunnel::Vxlan(u32::from_be_bytes([0, a, b, c]))) {
            return;
        }
        match (port, next) {
            (VXLAN_GPE, 1) => self.ip4(view.skip(8)),
            (VXLAN_GPE, 2) => self.ip6(view.skip(8)),
            _ => self.inner_ethernet(view.skip(8)),
        }
    }
}

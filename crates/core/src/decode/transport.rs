//! TCP, UDP, ICMP and the others: the last headers.

use super::address::as_ipv4;
use super::checksum::Sum;
use super::decoder::{Head, Walk};
use super::stats::Kind;
use super::tunnel::{IPIP, IPV6};
use super::view::View;
use super::{Decoded, Segment, Tcp, Transport};

/// IP protocol number of ICMP.
pub const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const GRE: u8 = 47;
/// IP protocol number of `ICMPv6`.
pub const ICMP6: u8 = 58;
const SCTP: u8 = 132;

impl<'a> Walk<'_, 'a> {
    /// Whatever `head.proto` says. A header that was sent broken gives a counter only, as its
    /// receiver will have thrown it away; one that was cut by the capture gives a segment
    /// as long as the ports are there.
    #[inline]
    pub(super) fn transport(&mut self, head: &Head, view: View<'a>) {
        match head.proto {
            TCP => self.tcp(head, view),
            UDP => self.udp(head, view),
            _ => self.other(head, view),
        }
    }

    #[inline]
    fn tcp(&mut self, head: &Head, view: View<'a>) {
        let Some(bytes) = view.head::<20>() else {
            return self.tcp_cut(head, view);
        };
        let (size, ports, tcp) = tcp_fields(bytes);
        if size < 20 || size as u32 > view.wire {
            return self.stats.count(Kind::TcpOffset);
        }
        let segment = self.segment(head, ports, Transport::Tcp(tcp), view.skip(size));
        self.checked(segment, view);
    }

    /// A TCP header that is not all there. With its first 16 bytes it is as good as whole;
    /// with the ports alone it is a packet of the connection of which nothing is known
    /// ([`Transport::Other`]), its payload's length (0) included.
    #[cold]
    fn tcp_cut(&mut self, head: &Head, view: View<'a>) {
        self.short(view, 20, Kind::TcpShort, Kind::TransportCut);
        if view.wire < 20 || view.head::<4>().is_none() {
            return;
        }
        let mut padded = [0; 20];
        for (to, from) in padded.iter_mut().zip(view.data) {
            *to = *from;
        }
        let (size, ports, tcp) = tcp_fields(&padded);
        let mut segment = self.segment(head, ports, Transport::Other, view.skip(size));
        if view.data.len() < 16 {
            segment.payload_len = 0;
        } else if size < 20 || size as u32 > view.wire {
            return self.stats.count(Kind::TcpOffset);
        } else {
            segment.transport = Transport::Tcp(tcp);
        }
        segment.payload = &[];
        self.out.push(Decoded::Segment(segment));
    }

    #[inline]
    fn udp(&mut self, head: &Head, view: View<'a>) {
        let Some(&[p0, p1, p2, p3, l0, l1, ..]) = view.head::<8>() else {
            return self.udp_cut(head, view);
        };
        let length = u32::from(u16::from_be_bytes([l0, l1]));
        let datagram = match length {
            // A jumbogram's, or that of one the network card has yet to cut up (RFC 2675).
            0 => view,
            1..8 => return self.stats.count(Kind::UdpLength),
            _ => view.limit(length),
        };
        if length > view.wire {
            self.stats.count(Kind::UdpBeyond);
        }
        let payload = datagram.skip(8);
        let [src_port, dst_port] = ports([p0, p1, p2, p3]);
        let segment = self.segment(head, [src_port, dst_port], Transport::Udp, payload);
        self.checked(segment, datagram);
        self.vxlan(dst_port, payload);
    }

    #[cold]
    fn udp_cut(&mut self, head: &Head, view: View<'a>) {
        self.short(view, 8, Kind::UdpShort, Kind::TransportCut);
        if let (true, Some(first)) = (view.wire >= 8, view.head::<4>()) {
            let rest = match view.head::<6>() {
                Some(&[.., 0, 0..8]) | None => view,
                Some(&[.., l0, l1]) => view.limit(u32::from(u16::from_be_bytes([l0, l1]))),
            };
            let segment = self.segment(head, ports(*first), Transport::Udp, rest.skip(8));
            self.out.push(Decoded::Segment(segment));
        }
    }

    #[inline(never)]
    fn other(&mut self, head: &Head, view: View<'a>) {
        match head.proto {
            ICMP | ICMP6 => self.icmp(head, view),
            SCTP => self.numbered(head, view, 12, Kind::SctpShort),
            DCCP => self.numbered(head, view, 12, Kind::DccpShort),
            _ => {
                let segment = self.segment(head, [0; 2], Transport::Other, view);
                self.out.push(Decoded::Segment(segment));
                match head.proto {
                    GRE => self.gre(view),
                    IPIP | IPV6 => self.inner_ip(as_ipv4(&head.src).is_some(), head.proto, view),
                    _ => {}
                }
            }
        }
    }

    /// ICMP (RFC 792) and `ICMPv6` (RFC 4443).
    fn icmp(&mut self, head: &Head, view: View<'a>) {
        let (true, Some(&[kind, code])) = (view.wire >= 8, view.head::<2>()) else {
            return self.short(view, 8, Kind::IcmpShort, Kind::TransportCut);
        };
        let echo = match head.proto {
            ICMP => matches!(kind, 0 | 8 | 13..=18),
            _ => matches!(kind, 128 | 129),
        };
        let (id, seq) = match view.head::<8>() {
            Some(&[.., i0, i1, s0, s1]) if echo => {
                (u16::from_be_bytes([i0, i1]), u16::from_be_bytes([s0, s1]))
            }
            _ => (0, 0),
        };
        let numbers = [u16::from(kind), u16::from(code)];
        let segment = self.segment(head, numbers, Transport::Icmp { id, seq }, view.skip(8));
        self.checked(segment, view);
    }

    /// A transport of which only the ports are read, which are where all have them.
    fn numbered(&mut self, head: &Head, view: View<'a>, size: u32, short: Kind) {
        let (true, Some(first)) = (view.wire >= size, view.head::<4>()) else {
            return self.short(view, size as usize, short, Kind::TransportCut);
        };
        let size = match (head.proto, view.data.get(4)) {
            // RFC 4340 section 5.1: the data offset in words.
            (DCCP, Some(words)) => usize::from(*words) * 4,
            _ => size as usize,
        };
        let segment = self.segment(head, ports(*first), Transport::Other, view.skip(size));
        self.out.push(Decoded::Segment(segment));
    }

    /// Hands on a segment, verified if it should be and can.
    #[inline]
    fn checked(&mut self, segment: Segment<'a>, view: View<'a>) {
        let checksum_ok = !self.verify || self.intact(&segment, view);
        self.out.push(Decoded::Segment(segment));
        if let (false, Some(Decoded::Segment(segment))) = (checksum_ok, self.out.last_mut()) {
            segment.checksum_ok = false;
        }
    }

    /// Whether the checksum is right, as far as the capture can tell: one that is cut is given
    /// the benefit of the doubt. UDP may go without (RFC 768, RFC 6935).
    #[cold]
    fn intact(&self, segment: &Segment<'a>, view: View<'a>) -> bool {
        if !view.whole()
            || (segment.proto == UDP && matches!(view.data, [_, _, _, _, _, _, 0, 0, ..]))
        {
            return true;
        }
        let sum = Sum::default().add(view.data);
        let src = self.route.src.as_ref().unwrap_or(&segment.src);
        let dst = self.route.dst.as_ref().unwrap_or(&segment.dst);
        match segment.proto {
            ICMP => sum.is_right(),
            proto => sum.pseudo(src, dst, proto, view.wire).is_right(),
        }
    }
}

/// The size, the ports and the fields of a TCP header (RFC 9293 section 3.1).
#[inline]
fn tcp_fields(header: &[u8; 20]) -> (usize, [u16; 2], Tcp) {
    let &[p0, p1, p2, p3, s0, s1, s2, s3, a0, a1, a2, a3, offset, flags, w0, w1, ..] = header;
    let tcp = Tcp {
        seq: u32::from_be_bytes([s0, s1, s2, s3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
        window: u16::from_be_bytes([w0, w1]),
    };
    (usize::from(offset >> 4) * 4, ports([p0, p1, p2, p3]), tcp)
}

/// The ports, which every transport that has them has first.
#[inline]
fn ports([s0, s1, d0, d1]: [u8; 4]) -> [u16; 2] {
    [u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])]
}

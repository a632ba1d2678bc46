//! TCP, UDP, ICMP and the rest.

use super::build::{icmp, ip4, ip6, join, tcp, udp};
use super::*;

/// A raw IP packet of which only `captured` bytes were kept.
fn cut(data: &[u8], captured: usize) -> Packet<'_> {
    Packet { wire_len: data.len() as u32, ..packet(LinkType::RAW, &data[..captured]) }
}

#[test]
fn tcp_options_are_no_payload() {
    let mut header = tcp(b"");
    header[12] = 0x60;
    let whole = ip4(6, &join(&[&header, &[1, 1, 1, 0], b"data"]));
    assert_eq!(segment(&packet(LinkType::RAW, &whole)).payload, b"data");
}

#[test]
fn tcp_offsets_that_cannot_be_are_malformed() {
    for offset in [0x00, 0x40, 0x60] {
        let mut header = tcp(b"");
        header[12] = offset;
        only_counted(&packet(LinkType::RAW, &ip4(6, &header)), "tcp data offset");
    }
    only_counted(&packet(LinkType::RAW, &ip4(6, &tcp(b"")[..19])), "tcp header short");
}

#[test]
fn a_cut_payload_keeps_its_length() {
    let whole = ip4(6, &tcp(&[7; 1000]));
    let seen = segment(&cut(&whole, 60));
    assert_eq!((seen.payload_len, seen.payload.len(), seen.ip_bytes), (1000, 20, 1040));
    let whole = ip6(17, &udp(53, &[7; 1000]));
    let seen = segment(&cut(&whole, 48));
    assert_eq!((seen.payload_len, seen.payload.len(), seen.ip_bytes), (1000, 0, 1048));
}

#[test]
fn a_cut_tcp_header_gives_what_is_there() {
    let whole = ip4(6, &tcp(b"payload"));
    for captured in 20..40 {
        let frame = cut(&whole, captured);
        let (mut out, kinds) = decode(&frame);
        assert_eq!(kinds, [("transport header cut".to_owned(), 1)]);
        if captured < 24 {
            assert!(out.is_empty());
            continue;
        }
        let seen = super::whole(out.remove(0));
        assert_eq!(
            (seen.src_port, seen.dst_port, seen.ip_bytes, seen.payload),
            (40000, 443, 47, &b""[..])
        );
        if captured < 36 {
            assert_eq!((seen.transport, seen.payload_len), (Transport::Other, 0));
        } else {
            let header = Tcp { seq: 1, ack: 2, flags: 0x18, window: 512 };
            assert_eq!((seen.transport, seen.payload_len), (Transport::Tcp(header), 7));
        }
    }
}

#[test]
fn udp_goes_by_its_own_length_within_that_of_ip() {
    let with = |length: u8| {
        let mut datagram = udp(9, b"abcdef");
        datagram[5] = length;
        ip4(17, &datagram)
    };
    assert_eq!(segment(&packet(LinkType::RAW, &with(10))).payload, b"ab");
    assert_eq!(segment(&packet(LinkType::RAW, &with(8))).payload, b"");
    assert_eq!(segment(&packet(LinkType::RAW, &with(0))).payload, b"abcdef");
    only_counted(&packet(LinkType::RAW, &with(7)), "udp length");
    let frame = with(15);
    let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
    assert_eq!(kinds, [("udp longer than ip".to_owned(), 1)]);
    assert_eq!(super::whole(out[0].clone()).payload, b"abcdef");
    only_counted(&packet(LinkType::RAW, &ip4(17, &[0; 7])), "udp header short");
}

#[test]
fn a_cut_udp_header_gives_what_is_there() {
    let whole = ip4(17, &udp(9, b"abcdef"));
    for captured in 20..28 {
        let frame = cut(&whole, captured);
        let (out, kinds) = decode(&frame);
        assert_eq!(kinds, [("transport header cut".to_owned(), 1)]);
        assert_eq!(out.len(), usize::from(captured >= 24));
        if let Some(seen) = out.into_iter().next().map(super::whole) {
            assert_eq!((seen.dst_port, seen.payload_len, seen.transport), (9, 6, Transport::Udp));
        }
    }
}

#[test]
fn icmp_types_stand_for_ports() {
    let frame = ip4(1, &icmp(8, 0, b"ping"));
    let echo = segment(&packet(LinkType::RAW, &frame));
    assert_eq!((echo.src_port, echo.dst_port, echo.payload), (8, 0, &b"ping"[..]));
    assert_eq!(echo.transport, Transport::Icmp { id: 7, seq: 9 });
    let frame = ip4(1, &icmp(3, 1, b"quoted"));
    let unreachable = segment(&packet(LinkType::RAW, &frame));
    assert_eq!((unreachable.src_port, unreachable.dst_port), (3, 1));
    assert_eq!(unreachable.transport, Transport::Icmp { id: 0, seq: 0 });
    let frame = ip6(58, &icmp(129, 0, b"pong"));
    assert_eq!(
        segment(&packet(LinkType::RAW, &frame)).transport,
        Transport::Icmp { id: 7, seq: 9 }
    );
    only_counted(&packet(LinkType::RAW, &ip4(1, &[8; 7])), "icmp header short");
}

#[test]
fn others_go_by_number() {
    let ports = [0x9c, 0x40, 0x0b, 0x59];
    let frame = ip4(132, &join(&[&ports, &[0; 8], b"chunk"]));
    let sctp = segment(&packet(LinkType::RAW, &frame));
    assert_eq!(
        (sctp.proto, sctp.src_port, sctp.dst_port, sctp.payload),
        (132, 40000, 2905, &b"chunk"[..])
    );
    let frame = ip4(33, &join(&[&ports, &[4, 0, 0, 0], &[0; 8], b"data"]));
    let dccp = segment(&packet(LinkType::RAW, &frame));
    assert_eq!((dccp.src_port, dccp.dst_port, dccp.payload), (40000, 2905, &b"data"[..]));
    for proto in [2, 50, 89, 103, 112, 253] {
        let frame = ip4(proto, b"anything");
        let seen = segment(&packet(LinkType::RAW, &frame));
        assert_eq!(
            (seen.proto, seen.src_port, seen.dst_port, seen.payload),
            (proto, 0, 0, &b"anything"[..])
        );
        assert_eq!(seen.transport, Transport::Other);
    }
}

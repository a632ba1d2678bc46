//! Link headers.

use super::build::{A4, A6, B4, ethernet, ip4, ip6, join, mapped, tcp, udp};
use super::*;

fn ip4_tcp() -> Vec<u8> {
    ip4(6, &tcp(b"hi"))
}

#[test]
fn ethernet_ip4_tcp_field_by_field() {
    let frame = ethernet(0x0800, &ip4_tcp());
    let seen = segment(&packet(LinkType::ETHERNET, &frame));
    assert_eq!((seen.ts, seen.iface, seen.vlan), (1, IFACE, 0));
    assert_eq!((seen.src, seen.dst), (mapped(A4), mapped(B4)));
    assert_eq!((seen.src_port, seen.dst_port, seen.proto, seen.ttl), (40000, 443, 6, 64));
    assert_eq!(
        (seen.packets, seen.ip_bytes, seen.payload_len, seen.payload),
        (1, 42, 2, &b"hi"[..])
    );
    assert_eq!(seen.transport, Transport::Tcp(Tcp { seq: 1, ack: 2, flags: 0x18, window: 512 }));
    assert_eq!((seen.tunnel, seen.checksum_ok), (Tunnel::None, true));
}

#[test]
fn padding_and_trailers_are_no_payload() {
    let frame = join(&[&ethernet(0x0800, &ip4(6, &tcp(b""))), &[0xee; 6]]);
    let seen = segment(&packet(LinkType::ETHERNET, &frame));
    assert_eq!((seen.ip_bytes, seen.payload_len, seen.payload), (40, 0, &b""[..]));
}

#[test]
fn the_inner_of_two_tags_is_kept_and_a_priority_is_none() {
    for tag in [0x8100, 0x88a8, 0x9100, 0x9200] {
        let frame = ethernet(tag, &join(&[&[0x20, 100, 0x81, 0], &[0xe0, 7, 8, 0], &ip4_tcp()]));
        assert_eq!(segment(&packet(LinkType::ETHERNET, &frame)).vlan, 7);
        let frame = ethernet(tag, &join(&[&[0x20, 100, 0x81, 0], &[0xe0, 0, 8, 0], &ip4_tcp()]));
        assert_eq!(segment(&packet(LinkType::ETHERNET, &frame)).vlan, 100);
    }
    only_counted(&packet(LinkType::ETHERNET, &ethernet(0x8100, &[0, 1])), "vlan tag short");
}

#[test]
fn snap_and_llc_carry_ip_within_their_length() {
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip4_tcp()]);
    let frame = join(&[&ethernet(snap.len() as u16, &snap), &[0; 9]]);
    assert_eq!(segment(&packet(LinkType::ETHERNET, &frame)).payload, b"hi");
    let llc = join(&[&[6, 6, 3], &ip4_tcp()]);
    assert_eq!(
        segment(&packet(LinkType::ETHERNET, &ethernet(llc.len() as u16, &llc))).payload,
        b"hi"
    );
}

#[test]
fn what_holds_no_ip_is_counted_by_name() {
    let named: [(u16, &[u8], &str); 9] = [
        (0x0806, &[0; 28], "arp"),
        (0x88cc, &[0; 28], "lldp"),
        (0x88b5, &[0; 28], "ethertype 0x88b5"),
        (3, &[0x42, 0x42, 3], "stp"),
        (3, &[0x10, 0x42, 3], "llc sap 0x10"),
        (8, &[0xaa, 0xaa, 3, 0, 0, 0xc, 0x20, 0], "cdp"),
        (8, &[0xaa, 0xaa, 3, 0, 0, 0xc, 0x77, 1], "snap 00000c 0x7701"),
        (1501, &[0; 28], "ethernet length"),
        (2, &[0xaa, 0xaa], "llc header short"),
    ];
    for (kind, payload, name) in named {
        only_counted(&packet(LinkType::ETHERNET, &ethernet(kind, payload)), name);
    }
    only_counted(&packet(LinkType(105), &[0; 40]), "link type IEEE802_11");
    only_counted(&packet(LinkType(999), &[0; 40]), "link type 999");
    only_counted(&packet(LinkType::ETHERNET, &[0; 13]), "ethernet header short");
    let cut = Packet { wire_len: 60, ..packet(LinkType::ETHERNET, &[0; 13]) };
    only_counted(&cut, "link header cut");
}

#[test]
fn cooked_captures() {
    let first = |hardware: u8, kind: [u8; 2]| {
        join(&[&[0, 0, 3, hardware, 0, 6], &[0; 8], &kind, &ip4_tcp()])
    };
    assert_eq!(segment(&packet(LinkType::LINUX_SLL, &first(4, [8, 0]))).payload, b"hi");
    only_counted(&packet(LinkType::LINUX_SLL, &first(56, [8, 0])), "netlink");
    only_counted(&packet(LinkType::LINUX_SLL, &first(4, [0, 1])), "novell raw ipx");
    only_counted(&packet(LinkType::LINUX_SLL, &first(4, [0, 12])), "ethertype 0x000c");
    let second = |kind: [u8; 2]| join(&[&kind, &[0; 6], &[0, 1, 0, 6], &[0; 8], &ip4_tcp()]);
    assert_eq!(segment(&packet(LinkType::LINUX_SLL2, &second([8, 0]))).payload, b"hi");
    only_counted(&packet(LinkType::LINUX_SLL2, &second([8, 6])), "arp");
    only_counted(&packet(LinkType::LINUX_SLL2, &[8, 0]), "cooked header short");
}

#[test]
fn loopback_in_either_byte_order() {
    for header in [[2, 0, 0, 0], [0, 0, 0, 2]] {
        for link in [LinkType::NULL, LinkType::LOOP] {
            assert_eq!(segment(&packet(link, &join(&[&header, &ip4_tcp()]))).payload, b"hi");
        }
    }
    for family in [10, 23, 24, 28, 30] {
        let frame = join(&[&[family, 0, 0, 0], &ip6(17, &udp(53, b"hi"))]);
        assert_eq!(segment(&packet(LinkType::NULL, &frame)).src, A6);
    }
    let frame = join(&[&[0xf, 0, 8, 0], &ip4_tcp()]);
    assert_eq!(segment(&packet(LinkType::NULL, &frame)).payload, b"hi");
    only_counted(&packet(LinkType::NULL, &[7, 0, 0, 0]), "loopback family 7");
    only_counted(&packet(LinkType::NULL, &[7, 0]), "loopback header short");
}

#[test]
fn raw_ip_says_its_version_itself() {
    let (four, six) = (ip4_tcp(), ip6(6, &tcp(b"hi")));
    for link in [12, 14, 101] {
        assert_eq!(segment(&packet(LinkType(link), &four)).src, mapped(A4));
        assert_eq!(segment(&packet(LinkType(link), &six)).src, A6);
    }
    assert_eq!(segment(&packet(LinkType::IPV4, &four)).src, mapped(A4));
    assert_eq!(segment(&packet(LinkType::IPV6, &six)).src, A6);
    only_counted(&packet(LinkType::IPV4, &six), "ip version");
    only_counted(&packet(LinkType::RAW, &[0x50; 40]), "ip version");
    only_counted(&packet(LinkType::RAW, &[]), "ip packet empty");
}

#[test]
fn point_to_point_links() {
    let session =
        |code, length: u8| join(&[&[0x11, code, 0, 1, 0, length, 0, 0x21], &ip4_tcp(), &[0; 3]]);
    let frame = ethernet(0x8864, &session(0, 44));
    assert_eq!(segment(&packet(LinkType::ETHERNET, &frame)).payload, b"hi");
    only_counted(&packet(LinkType::ETHERNET, &ethernet(0x8864, &session(9, 44))), "pppoe code");
    for framing in [&[0xff, 3, 0, 0x21][..], &[0xff, 3, 0x21], &[0, 0x21], &[0x21]] {
        assert_eq!(segment(&packet(LinkType(9), &join(&[framing, &ip4_tcp()]))).payload, b"hi");
    }
    only_counted(&packet(LinkType(9), &[0xff, 3, 0xc0, 0x21, 1]), "ppp lcp");
    assert_eq!(
        segment(&packet(LinkType(104), &join(&[&[0xf, 0, 8, 0], &ip4_tcp()]))).payload,
        b"hi"
    );
}

#[test]
fn older_and_larger_networks() {
    let llc = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip4_tcp()]);
    let fddi = join(&[&[0x57], &[2; 12], &llc]);
    assert_eq!(segment(&packet(LinkType(10), &fddi)).payload, b"hi");
    only_counted(&packet(LinkType(10), &[0x41; 13]), "link type FDDI");
    only_counted(&packet(LinkType(10), &[0x57; 13]), "llc header short");
    let bridged = ethernet(0x88e7, &join(&[&[0; 4], &ethernet(0x0800, &ip4_tcp())]));
    assert_eq!(segment(&packet(LinkType::ETHERNET, &bridged)).payload, b"hi");
}

//! Packets within packets.

use super::build::{A4, A6, ethernet, icmp, ip4, ip6, join, mapped, tcp, udp};
use super::*;

/// The tunnels and payloads of all segments of a raw packet.
fn layers(data: &[u8]) -> Vec<(u8, Tunnel)> {
    segments(&packet(LinkType::RAW, data)).iter().map(|seen| (seen.proto, seen.tunnel)).collect()
}

#[test]
fn ip_in_ip_of_all_versions() {
    let (four, six) = (ip4(6, &tcp(b"hi")), ip6(6, &tcp(b"hi")));
    assert_eq!(layers(&ip4(4, &four)), [(4, Tunnel::None), (6, Tunnel::IpInIp)]);
    assert_eq!(layers(&ip4(41, &six)), [(41, Tunnel::None), (6, Tunnel::SixInFour)]);
    assert_eq!(layers(&ip6(4, &four)), [(4, Tunnel::None), (6, Tunnel::IpInIp)]);
    assert_eq!(layers(&ip6(41, &six)), [(41, Tunnel::None), (6, Tunnel::IpInIp)]);
    let frame = ip4(41, &six);
    let seen = segments(&packet(LinkType::RAW, &frame));
    assert_eq!((seen[0].src, seen[0].ip_bytes, seen[0].payload_len), (mapped(A4), 82, 62));
    assert_eq!((seen[1].src, seen[1].ip_bytes, seen[1].payload), (A6, 62, &b"hi"[..]));
}

#[test]
fn the_outer_remains_when_the_inner_is_broken() {
    let frame = ip4(41, &ip4(6, &tcp(&[0; 40])));
    let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
    assert_eq!((out.len(), kinds), (1, vec![("ip version".to_owned(), 1)]));
}

#[test]
fn nesting_has_a_bound() {
    let mut frame = ip4(6, &tcp(b"hi"));
    for _ in 0..20 {
        frame = ip4(4, &frame);
    }
    let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
    assert_eq!((out.len(), kinds), (9, vec![("tunnels too deep".to_owned(), 1)]));
}

#[test]
fn gre_with_each_of_its_fields() {
    let inner = ip4(6, &tcp(b"hi"));
    let gre = [(6, Tunnel::Gre)];
    for (flags, fields) in [(0, 0), (0x80, 4), (0x20, 4), (0x10, 4), (0xb0, 12)] {
        let frame = ip4(47, &join(&[&[flags, 0, 8, 0], &vec![9; fields], &inner]));
        assert_eq!(layers(&frame)[1..], gre);
    }
    let routes = [0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0];
    assert_eq!(layers(&ip4(47, &join(&[&[0x40, 0, 8, 0], &routes, &inner])))[1..], gre);
    let frame =
        ip4(47, &join(&[&[0, 0, 0x65, 0x58], &ethernet(0x8100, &join(&[&[0, 5, 8, 0], &inner]))]));
    assert_eq!(segments(&packet(LinkType::RAW, &frame))[1].vlan, 5);
    let frame = ip4(47, &join(&[&[0x30, 0x81, 0x88, 0xb], &[0; 12], &[0xff, 3, 0, 0x21], &inner]));
    assert_eq!(layers(&frame)[1..], gre);
}

#[test]
fn gre_that_is_not_followed() {
    let cases: [(&[u8], &str); 5] = [
        (&[0, 0, 8], "gre header short"),
        (&[0xb0, 0, 8, 0, 0, 0, 0, 0], "gre header short"),
        (&[0x40, 0, 8, 0, 0, 0, 0, 0, 1, 2, 3, 4], "gre header short"),
        (&[0, 2, 8, 0], "gre version"),
        (&[0, 0, 0, 0], "ethertype 0x0000"),
    ];
    for (header, kind) in cases {
        let frame = ip4(47, header);
        let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
        assert_eq!((out.len(), kinds), (1, vec![(kind.to_owned(), 1)]));
    }
    // An acknowledgement of PPTP carries nothing, and that is fine.
    assert_eq!(layers(&ip4(47, &[0x20, 0x81, 0x88, 0xb, 0, 0, 0, 0, 0, 0, 0, 0])).len(), 1);
}

#[test]
fn erspan_of_all_types() {
    let inner = ethernet(0x0800, &ip4(6, &tcp(b"hi")));
    let frames = [
        join(&[&[0, 0, 0x88, 0xbe], &inner]),
        join(&[&[0x10, 0, 0x88, 0xbe], &[0; 4], &[0x10; 8], &inner]),
        join(&[&[0x10, 0, 0x22, 0xeb], &[0; 4], &[0x20; 12], &inner]),
        join(&[&[0x10, 0, 0x22, 0xeb], &[0; 4], &[0x21; 12], &[0; 8], &inner]),
    ];
    for gre in frames {
        assert_eq!(layers(&ip4(47, &gre)), [(47, Tunnel::None), (6, Tunnel::Gre)]);
    }
}

#[test]
fn vxlan_only_where_its_header_fits() {
    let inner = ethernet(0x0800, &ip4(1, &icmp(8, 0, b"")));
    let with = |port, header: [u8; 8]| ip4(17, &udp(port, &join(&[&header, &inner])));
    let vxlan = [(17, Tunnel::None), (1, Tunnel::Vxlan(0x0001_0203))];
    assert_eq!(layers(&with(4789, [8, 0, 0, 0, 1, 2, 3, 0])), vxlan);
    assert_eq!(layers(&with(4789, [0x88, 0, 0, 9, 1, 2, 3, 0])), vxlan);
    assert_eq!(layers(&with(8472, [8, 0, 0, 0, 1, 2, 3, 0])), vxlan);
    assert_eq!(layers(&with(8472, [8, 0, 0, 0, 1, 2, 3, 4])).len(), 1);
    assert_eq!(layers(&with(4789, [0, 0, 0, 0, 1, 2, 3, 0])).len(), 1);
    assert_eq!(layers(&with(4790, [8, 0, 0, 0, 1, 2, 3, 0])).len(), 1);
    assert_eq!(layers(&with(4790, [0xc, 0, 0, 3, 1, 2, 3, 0])), vxlan);
    // The outer tag is not the inner frame's.
    let frame = ethernet(0x8100, &join(&[&[0, 9, 8, 0], &with(4789, [8, 0, 0, 0, 1, 2, 3, 0])]));
    let seen = segments(&packet(LinkType::ETHERNET, &frame));
    assert_eq!((seen[0].vlan, seen[1].vlan), (9, 0));
}

#[test]
fn mpls_carries_ip_or_ethernet() {
    let labels = [0, 0, 0, 64, 0, 0, 1, 64];
    let inner = ip4(6, &tcp(b"hi"));
    for (payload, vlan) in [
        (inner.clone(), 9),
        (ip6(6, &tcp(b"hi")), 9),
        (join(&[&[0; 4], &ethernet(0x0800, &inner)]), 0),
    ] {
        let frame = ethernet(0x8100, &join(&[&[0, 9, 0x88, 0x47], &labels, &payload]));
        let seen = segment(&packet(LinkType::ETHERNET, &frame));
        assert_eq!((seen.payload, seen.vlan, seen.tunnel), (&b"hi"[..], vlan, Tunnel::None));
    }
    only_counted(
        &packet(LinkType::ETHERNET, &ethernet(0x8847, &[0, 0, 0, 64])),
        "mpls label short",
    );
    only_counted(
        &packet(LinkType::ETHERNET, &ethernet(0x8847, &[0, 0, 1, 64])),
        "mpls label short",
    );
    only_counted(
        &packet(LinkType::ETHERNET, &ethernet(0x8847, &[0, 0, 1, 64, 0x90])),
        "mpls payload",
    );
}

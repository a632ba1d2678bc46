//! Checksums, when they are verified.

use super::build::{A4, A6, B4, B6, checksum, icmp, ip4, ip6, join, tcp, udp};
use super::*;

fn verifying() -> Config {
    Config { verify_checksums: true, ..Config::default() }
}

/// Whether the checksum of the last segment is found right.
fn is_right(packet: &Packet<'_>) -> bool {
    let (out, kinds) = decode_with(&verifying(), packet);
    assert_eq!(kinds, []);
    whole(out.last().unwrap().clone()).checksum_ok
}

/// Puts the right checksum at `at` of a transport header.
fn sealed(mut data: Vec<u8>, at: usize, pseudo: &[&[u8]]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    let mut parts = pseudo.to_vec();
    if !pseudo.is_empty() {
        parts.push(&length);
    }
    parts.push(&data);
    let sum = checksum(&parts);
    data[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    data
}

#[test]
fn right_ones_are_right_and_wrong_ones_wrong() {
    let cases = [
        ip4(6, &sealed(tcp(b"odd"), 16, &[&A4, &B4, &[0, 6]])),
        ip4(17, &sealed(udp(53, b"odd"), 6, &[&A4, &B4, &[0, 17]])),
        ip4(1, &sealed(icmp(8, 0, b"odd"), 2, &[])),
        ip6(6, &sealed(tcp(b"even"), 16, &[&A6, &B6, &[0, 6]])),
        ip6(17, &sealed(udp(53, b"even"), 6, &[&A6, &B6, &[0, 17]])),
        ip6(58, &sealed(icmp(128, 0, b"even"), 2, &[&A6, &B6, &[0, 58]])),
    ];
    for mut frame in cases {
        assert!(is_right(&packet(LinkType::RAW, &frame)));
        *frame.last_mut().unwrap() ^= 1;
        assert!(!is_right(&packet(LinkType::RAW, &frame)));
        assert!(segment(&packet(LinkType::RAW, &frame)).checksum_ok, "not asked to look");
        let cut = Packet {
            wire_len: frame.len() as u32,
            ..packet(LinkType::RAW, &frame[..frame.len() - 1])
        };
        assert!(is_right(&cut), "cannot be told");
    }
}

#[test]
fn udp_may_go_without() {
    assert!(is_right(&packet(LinkType::RAW, &ip4(17, &udp(53, b"hi")))));
}

#[test]
fn the_last_stop_of_a_source_route_counts() {
    let stop = [0xfd; 16];
    let datagram = sealed(udp(53, b"hi"), 6, &[&A6, &stop, &[0, 17]]);
    for kind in [0, 2, 4] {
        let routing = join(&[&[17, 2, kind, 1], &[0; 4], &stop]);
        assert!(is_right(&packet(LinkType::RAW, &ip6(43, &join(&[&routing, &datagram])))));
    }
    let home = [0xfc; 16];
    let datagram = sealed(udp(53, b"hi"), 6, &[&home, &B6, &[0, 17]]);
    let option = join(&[&[17, 2, 1, 2, 0, 0, 0xc9, 16], &home]);
    assert!(is_right(&packet(LinkType::RAW, &ip6(60, &join(&[&option, &datagram])))));
}

#[test]
fn a_wrong_ip4_header_ends_it() {
    let mut frame = ip4(17, &udp(53, b"hi"));
    frame[8] = 1;
    let (out, kinds) = decode_with(&verifying(), &packet(LinkType::RAW, &frame));
    assert!(out.is_empty());
    assert_eq!(kinds, [("ip4 checksum".to_owned(), 1)]);
    assert_eq!(segment(&packet(LinkType::RAW, &frame)).ttl, 1);
}

//! IPv4 and IPv6.

use super::build::{A4, A6, B6, ip4, ip4_piece, ip6, join, mapped, tcp, udp};
use super::*;

#[test]
fn ip4_options_are_skipped() {
    let mut frame = ip4(17, &join(&[&[1, 1, 1, 0], &udp(53, b"hi")]));
    frame[0] = 0x46;
    assert_eq!(segment(&packet(LinkType::RAW, &frame)).payload, b"hi");
}

#[test]
fn ip4_lengths() {
    let with = |length: u16, first: u8| {
        let mut frame = ip4(17, &udp(53, b"hi"));
        frame[0] = first;
        frame[2..4].copy_from_slice(&length.to_be_bytes());
        frame
    };
    // Offloaded: the frame's length counts.
    let frame = with(0, 0x45);
    assert_eq!(segment(&packet(LinkType::RAW, &frame)).ip_bytes, 30);
    only_counted(&packet(LinkType::RAW, &with(30, 0x44)), "ip4 header length");
    only_counted(&packet(LinkType::RAW, &with(19, 0x45)), "ip4 total length");
    only_counted(&packet(LinkType::RAW, &with(30, 0x55)), "ip version");
    only_counted(&packet(LinkType::RAW, &with(30, 0x45)[..19]), "ip4 header short");
    // More than was sent: what was sent counts.
    let frame = with(31, 0x45);
    let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
    assert_eq!(kinds, [("ip4 longer than frame".to_owned(), 1)]);
    assert_eq!(whole(out[0].clone()).ip_bytes, 30);
    // More than was captured, but sent: as the header says.
    let frame = with(31, 0x45);
    let cut = Packet { wire_len: 31, ..packet(LinkType::RAW, &frame) };
    assert_eq!(segment(&cut).ip_bytes, 31);
}

#[test]
fn every_extension_header_is_passed() {
    let udp = udp(53, b"hi");
    let routing = join(&[&[60, 2, 0, 0], &[0; 20]]);
    let options = [44, 0, 1, 4, 0, 0, 0, 0];
    let atomic = [51, 0, 0, 0, 0, 0, 0, 9];
    let authentication = [17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    let frame = ip6(
        0,
        &join(&[&[43, 0, 1, 4, 0, 0, 0, 0], &routing, &options, &atomic, &authentication, &udp]),
    );
    let seen = segment(&packet(LinkType::RAW, &frame));
    assert_eq!((seen.src, seen.dst, seen.proto, seen.ttl), (A6, B6, 17, 63));
    assert_eq!((seen.dst_port, seen.payload, seen.ip_bytes), (53, &b"hi"[..], frame.len() as u32));
    let frame = ip4(51, &join(&[&authentication, &udp]));
    let seen = segment(&packet(LinkType::RAW, &frame));
    assert_eq!((seen.proto, seen.payload), (17, &b"hi"[..]));
}

#[test]
fn the_end_of_the_chain_is_a_protocol_too() {
    for (proto, payload) in [(59, &b""[..]), (59, b"junk"), (135, &[59, 0, 0, 0, 0, 0, 0, 0])] {
        let frame = ip6(proto, payload);
        let seen = segment(&packet(LinkType::RAW, &frame));
        assert_eq!((seen.proto, seen.payload, seen.transport), (proto, payload, Transport::Other));
    }
    let frame = ip6(135, &join(&[&[17, 0, 0, 0, 0, 0, 0, 0], &udp(53, b"hi")]));
    assert_eq!(segment(&packet(LinkType::RAW, &frame)).proto, 17);
}

#[test]
fn broken_chains_are_malformed() {
    only_counted(&packet(LinkType::RAW, &ip6(0, &[])), "ip extension header short");
    only_counted(&packet(LinkType::RAW, &ip6(0, &[17])), "ip extension header short");
    only_counted(
        &packet(LinkType::RAW, &ip6(60, &[17, 1, 0, 0, 0, 0, 0, 0])),
        "ip extension header short",
    );
    only_counted(&packet(LinkType::RAW, &ip6(44, &[17, 0, 0, 1])), "ip extension header short");
    let many = [60, 0, 1, 4, 0, 0, 0, 0].repeat(400);
    only_counted(&packet(LinkType::RAW, &ip6(60, &many)), "ip extension headers too many");
    let frame = ip6(60, &[17, 1, 0, 0, 0, 0, 0, 0]);
    let cut = Packet { wire_len: 100, ..packet(LinkType::RAW, &frame[..41]) };
    only_counted(&cut, "network header cut");
}

#[test]
fn ip6_lengths() {
    only_counted(&packet(LinkType::RAW, &ip6(17, &[])[..39]), "ip6 header short");
    let mut frame = ip6(17, &udp(53, b"hi"));
    frame[5] += 1;
    let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
    assert_eq!(kinds, [("ip6 longer than frame".to_owned(), 1)]);
    assert_eq!(whole(out[0].clone()).ip_bytes, 50);
    // Padding behind a packet without payload is not its payload.
    let frame = join(&[&ip6(59, &[]), &[0; 6]]);
    assert_eq!(segment(&packet(LinkType::RAW, &frame)).ip_bytes, 40);
}

#[test]
fn jumbograms() {
    let options = [6, 0, 0xc2, 4, 0, 1, 0x11, 0x70];
    let mut frame = ip6(0, &join(&[&options, &tcp(&vec![7; 70_000 - 28])]));
    frame[4..6].fill(0);
    let seen = segment(&packet(LinkType::RAW, &frame));
    assert_eq!((seen.ip_bytes, seen.payload_len), (70_040, 70_000 - 28));
    let mut frame = ip6(6, &tcp(&vec![7; 70_000 - 20]));
    frame[4..6].fill(0);
    let seen = segment(&packet(LinkType::RAW, &frame));
    assert_eq!((seen.ip_bytes, seen.payload_len), (70_040, 70_000 - 20));
}

#[test]
fn pieces_say_where_they_belong() {
    let frame = ip4_piece(17, 0x1234, 0x2000 | 3, b"12345678");
    let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
    assert_eq!(kinds, []);
    let Decoded::Fragment(piece) = &out[0] else { panic!("{out:?}") };
    assert_eq!(
        (piece.id, piece.offset, piece.more, piece.data),
        (0x1234, 24, true, &b"12345678"[..])
    );
    assert_eq!((piece.head.src, piece.head.proto, piece.head.ip_bytes), (mapped(A4), 17, 28));
    let frame = ip6(44, &join(&[&[17, 0, 0, 0x18, 0, 1, 2, 3], b"1234"]));
    let (out, kinds) = decode(&packet(LinkType::RAW, &frame));
    assert_eq!(kinds, []);
    let Decoded::Fragment(piece) = &out[0] else { panic!("{out:?}") };
    assert_eq!(
        (piece.id, piece.offset, piece.more, piece.data),
        (0x0001_0203, 24, false, &b"1234"[..])
    );
    assert_eq!((piece.head.src, piece.head.proto, piece.head.ip_bytes), (A6, 17, 52));
}

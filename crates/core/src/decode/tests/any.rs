//! Any bytes at all.

use proptest::prelude::*;

use super::build::{ethernet, ip4, ip4_piece, ip6, join, tcp, udp};
use super::*;
use crate::decode::as_ipv4;

/// Feeds packets as the engine does; every one must leave a trace.
fn account(config: &Config, packets: &[(LinkType, Vec<u8>, u32)]) {
    let mut decoder = Decoder::new(config);
    let total =
        |decoder: &Decoder| decoder.stats(IFACE).iter().map(|(_, count)| count).sum::<u64>();
    for (index, (link, data, more)) in packets.iter().enumerate() {
        let wire_len = data.len() as u32 + more;
        let before = total(&decoder);
        let packet = Packet { ts: index as i64, iface: IFACE, link: *link, wire_len, data };
        let mut out = Vec::new();
        decoder.decode(&packet, &mut out);
        assert!(!out.is_empty() || total(&decoder) > before, "lost: {packet:?}");
        for found in &out {
            follow(&mut decoder, found);
        }
    }
    decoder.finish();
}

/// Checks what was found, and puts fragments together as far as they go.
fn follow(decoder: &mut Decoder, found: &Decoded<'_>) {
    match found {
        Decoded::Segment(segment) => {
            assert!(segment.payload.len() <= segment.payload_len as usize, "{segment:?}");
            assert!(segment.payload_len <= segment.ip_bytes, "{segment:?}");
        }
        Decoded::Fragment(fragment) => {
            assert!(fragment.data.len() <= fragment.head.payload_len as usize);
            let Some(datagram) = decoder.fragment(fragment) else {
                return;
            };
            let before = decoder.stats(IFACE).iter().map(|(_, count)| count).sum::<u64>();
            let mut out = Vec::new();
            decoder.datagram(&datagram, &mut out);
            let after = decoder.stats(IFACE).iter().map(|(_, count)| count).sum::<u64>();
            assert!(!out.is_empty() || after > before, "lost: {datagram:?}");
            for found in &out {
                follow(decoder, found);
            }
        }
        Decoded::Arp(arp) => assert!(as_ipv4(&arp.ip).is_some(), "{arp:?}"),
    }
}

/// Packets that get somewhere, to be spoilt.
fn seeds() -> Vec<(LinkType, Vec<u8>)> {
    let inner = ip4(6, &tcp(b"payload"));
    let vxlan = udp(4789, &join(&[&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(0x0800, &inner)]));
    let options = join(&[
        &[43, 0, 1, 4, 0, 0, 0, 0],
        &[44, 0, 0, 0, 0, 0, 0, 0],
        &[17, 0, 0, 1, 0, 0, 0, 1],
        &[9; 16],
    ]);
    vec![
        (LinkType::ETHERNET, ethernet(0x0800, &inner)),
        (LinkType::ETHERNET, ethernet(0x8100, &join(&[&[0, 9, 0x86, 0xdd], &ip6(0, &options)]))),
        (LinkType::ETHERNET, ethernet(0x0800, &ip4(17, &vxlan))),
        (
            LinkType::ETHERNET,
            ethernet(0x8847, &join(&[&[0, 0, 1, 64], &ip4(41, &ip6(6, &tcp(b"six")))])),
        ),
        (LinkType::ETHERNET, ethernet(0x8864, &join(&[&[0x11, 0, 0, 1, 0, 49, 0, 0x21], &inner]))),
        (LinkType::RAW, ip4(47, &join(&[&[0xb0, 0, 8, 0], &[0; 12], &inner]))),
        (
            LinkType::RAW,
            ip4(47, &join(&[&[0x10, 0, 0x22, 0xeb], &[0; 16], &ethernet(0x0800, &inner)])),
        ),
        (LinkType::RAW, ip4_piece(17, 1, 0x2000, &[7; 32])),
        (LinkType::RAW, ip4_piece(17, 1, 4, &[7; 32])),
        (LinkType::NULL, join(&[&[2, 0, 0, 0], &inner])),
        (LinkType::LINUX_SLL, join(&[&[0; 14], &[8, 0], &inner])),
    ]
}

fn link() -> impl Strategy<Value = LinkType> {
    prop_oneof![
        4 => Just(LinkType::ETHERNET),
        4 => prop::sample::select(vec![0, 9, 12, 50, 51, 101, 104, 108, 113, 228, 229, 276]).prop_map(LinkType),
        1 => any::<u16>().prop_map(LinkType),
    ]
}

/// One of the seeds, cut and with some bytes changed.
fn spoilt() -> impl Strategy<Value = (LinkType, Vec<u8>, u32)> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let changes = prop::collection::vec(change, 0..6);
    (prop::sample::select(seeds()), changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |((link, mut data), changes, keep, cut)| {
            for (at, byte) in changes {
                let at = at.index(data.len());
                data[at] = byte;
            }
            let gone = if cut { keep.index(data.len()) } else { 0 };
            data.truncate(data.len() - gone);
            (link, data, gone as u32)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_are_accounted_for(
        packets in prop::collection::vec((link(), prop::collection::vec(any::<u8>(), 0..200), 0u32..2000), 1..20),
        verify_checksums in any::<bool>(),
    ) {
        account(&Config { verify_checksums, ..Config::default() }, &packets);
    }

    #[test]
    fn spoilt_packets_are_accounted_for(
        packets in prop::collection::vec(spoilt(), 1..40),
        verify_checksums in any::<bool>(),
        max_fragment_bytes in 0usize..4000,
    ) {
        account(&Config { max_fragment_bytes, verify_checksums, ..Config::default() }, &packets);
    }
}

#[test]
fn classes_add_up() {
    let frames = [ethernet(0x0806, &[0; 28]), ethernet(0x0800, &[0x55; 28])];
    let mut decoder = Decoder::new(&Config::default());
    let mut out = Vec::new();
    for frame in &frames {
        decoder.decode(&packet(LinkType::ETHERNET, frame), &mut out);
    }
    let stats = decoder.stats(IFACE);
    assert_eq!(
        (stats.total(Class::Unknown), stats.total(Class::Malformed), stats.total(Class::Cut)),
        (1, 1, 0)
    );
}

//! Packets of any link type: none panics the decoder, none is lost without a trace.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_core::decode::{Decoded, Decoder, as_ipv4};
use tidegate_core::{Config, LinkType, Packet};

// Input: a byte of settings, then packets, each with 2 bytes of link type (0xffff: Ethernet),
// 2 bytes of length, and one of how much the capture cut off.
fuzz_target!(|input: &[u8]| {
    let Some((&settings, mut rest)) = input.split_first() else { return };
    let mut decoder = Decoder::new(&Config {
        verify_checksums: settings & 1 != 0,
        max_fragment_bytes: usize::from(settings) << 6,
        ..Config::default()
    });
    let mut ts = 0;
    while let Some((&[l0, l1, n0, n1, cut], data)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([n0, n1])).min(data.len());
        let (data, next) = data.split_at(length);
        rest = next;
        ts += 1_000_000_000;
        let link = match u16::from_be_bytes([l0, l1]) {
            0xffff => LinkType::ETHERNET,
            link => LinkType(link),
        };
        let wire_len = length as u32 + u32::from(cut);
        let packet = Packet { ts, iface: 0, link, wire_len, data };
        let before = counted(&decoder);
        let mut out = Vec::new();
        decoder.decode(&packet, &mut out);
        assert!(!out.is_empty() || counted(&decoder) > before, "lost: {packet:?}");
        for found in &out {
            follow(&mut decoder, found);
        }
    }
    decoder.finish();
});

fn counted(decoder: &Decoder) -> u64 {
    decoder.stats(0).iter().map(|(_, count)| count).sum()
}

fn follow(decoder: &mut Decoder, found: &Decoded<'_>) {
    match found {
        Decoded::Segment(segment) => {
            assert!(segment.payload.len() <= segment.payload_len as usize);
            assert!(segment.payload_len <= segment.ip_bytes);
        }
        Decoded::Fragment(fragment) => {
            let Some(datagram) = decoder.fragment(fragment) else { return };
            assert!(datagram.data.len() <= 65_535);
            let mut out = Vec::new();
            decoder.datagram(&datagram, &mut out);
            for found in &out {
                follow(decoder, found);
            }
        }
        Decoded::Arp(arp) => assert!(as_ipv4(&arp.ip).is_some()),
    }
}

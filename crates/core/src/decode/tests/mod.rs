//! Tests of the decoder, on packets built byte by byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod address;
mod any;
mod arp;
mod build;
mod checksum;
mod fragment;
mod ip;
mod link;
mod transport;
mod tunnel;

use super::{Class, Decoded, Decoder, Segment, Tcp, Transport, Tunnel};
use crate::config::Config;
use crate::packet::{LinkType, Packet};

/// Where every packet of these tests comes from.
const IFACE: u16 = 3;

/// A frame, whole.
fn packet(link: LinkType, data: &[u8]) -> Packet<'_> {
    Packet { ts: 1, iface: IFACE, link, wire_len: data.len() as u32, data }
}

/// What a packet gives, and what was counted.
fn decode<'a>(packet: &Packet<'a>) -> (Vec<Decoded<'a>>, Vec<(String, u64)>) {
    decode_with(&Config::default(), packet)
}

fn decode_with<'a>(config: &Config, packet: &Packet<'a>) -> (Vec<Decoded<'a>>, Vec<(String, u64)>) {
    let mut decoder = Decoder::new(config);
    let mut out = Vec::new();
    decoder.decode(packet, &mut out);
    (out, counted(&decoder))
}

fn counted(decoder: &Decoder) -> Vec<(String, u64)> {
    decoder.stats(IFACE).iter().map(|(name, count)| (name.into_owned(), count)).collect()
}

/// The segments of a packet that gives nothing else.
fn segments<'a>(packet: &Packet<'a>) -> Vec<Segment<'a>> {
    let (out, kinds) = decode(packet);
    assert_eq!(kinds, []);
    out.into_iter().map(whole).collect()
}

/// The only segment of a packet that gives nothing else.
fn segment<'a>(packet: &Packet<'a>) -> Segment<'a> {
    let mut segments = segments(packet);
    assert_eq!(segments.len(), 1);
    segments.remove(0)
}

fn whole(decoded: Decoded<'_>) -> Segment<'_> {
    match decoded {
        Decoded::Segment(segment) => segment,
        other => panic!("no segment: {other:?}"),
    }
}

/// Asserts that a packet gives nothing but one of a kind.
fn only_counted(packet: &Packet<'_>, kind: &str) {
    let (out, kinds) = decode(packet);
    assert!(out.is_empty(), "{out:?}");
    assert_eq!(kinds, [(kind.to_owned(), 1)]);
}

//! Identifiers: Community ID against the specification's published baseline, uids against replay.

use super::play::{CLIENT, SERVER, datagram};
use crate::decode::Address;
use crate::decode::mapped;
use crate::flow::{FlowKey, community_id, uid};

/// The key and ends of a datagram, and its Community ID.
fn id(proto: u8, src: Address, src_port: u16, dst: Address, dst_port: u16) -> String {
    let segment = crate::decode::Segment {
        src,
        dst,
        ..datagram(proto, CLIENT, src_port, SERVER, dst_port, b"")
    };
    let (key, _) = FlowKey::of(&segment);
    let (src_port, dst_port) = crate::flow::ports(&segment);
    community_id(&key, (src, src_port), (dst, dst_port)).to_string()
}

/// Values published with the Community ID specification (baseline, seed 0).
#[test]
fn community_ids_are_the_published_ones() {
    let (client, server) = (mapped([128, 232, 110, 120]), mapped([66, 35, 250, 204]));
    let tcp = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
    assert_eq!(id(6, client, 34855, server, 80), tcp);
    assert_eq!(id(6, server, 80, client, 34855), tcp);
    let (host, dns) = (mapped([192, 168, 1, 52]), mapped([8, 8, 8, 8]));
    let udp = "1:d/FP5EW3wiY1vCndhwleRRKHowQ=";
    assert_eq!(id(17, host, 54585, dns, 53), udp);
    assert_eq!(id(17, dns, 53, host, 54585), udp);
    let (from, to) = (mapped([192, 168, 0, 89]), mapped([192, 168, 0, 1]));
    let icmp = "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=";
    assert_eq!(id(1, from, 8, to, 0), icmp);
    assert_eq!(id(1, to, 0, from, 0), icmp);
}

#[test]
fn a_uid_depends_on_ends_time_and_generation_alone() {
    let forth = datagram(17, CLIENT, 1, SERVER, 2, b"one");
    let back = datagram(17, SERVER, 2, CLIENT, 1, b"another");
    let (key, from_low) = FlowKey::of(&forth);
    let (same, other_way) = FlowKey::of(&back);
    assert_eq!((key, from_low), (same, !other_way));
    assert_eq!(uid(&key, 5, 0), uid(&same, 5, 0));
    assert_ne!(uid(&key, 5, 0), uid(&key, 6, 0));
    assert_ne!(uid(&key, 5, 0), uid(&key, 5, 1));
    assert_eq!(uid(&key, 5, 0).len(), 17);
}

#[test]
fn a_flow_fits_its_budget() {
    // 250 bytes per idle flow all told: with at most 24 bytes of index and slack.
    assert!(size_of::<crate::flow::Flow>() <= 226, "{}", size_of::<crate::flow::Flow>());
}

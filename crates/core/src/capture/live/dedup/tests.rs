//! Tests of the rule that a packet counts once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const MS: Nanos = 1_000_000;

/// An IPv4 packet of 28 bytes with this identification, behind an Ethernet header.
fn frame(id: u16) -> Vec<u8> {
    let mut frame = vec![0; 14 + 28];
    frame[12..14].copy_from_slice(&IPV4.to_be_bytes());
    frame[14] = 0x45;
    frame[16..18].copy_from_slice(&28_u16.to_be_bytes());
    frame[18..20].copy_from_slice(&id.to_be_bytes());
    frame
}

struct Seen(Dedup);

impl Seen {
    fn new() -> Self {
        Self(Dedup::with_key((1, 2)))
    }

    /// Whether the packet counts.
    fn counts(&mut self, iface: u16, ts: Nanos, frame: &[u8]) -> bool {
        !self.0.is_duplicate(iface, ts, LinkType::ETHERNET, frame)
    }
}

#[test]
fn a_copy_on_another_interface_is_a_duplicate() {
    let mut seen = Seen::new();
    assert!(seen.counts(0, 0, &frame(1)));
    assert!(!seen.counts(1, 3_000, &frame(1)));
    assert!(!seen.counts(2, 4_000, &frame(1)));
    assert!(seen.counts(1, 5_000, &frame(2)));
}

#[test]
fn a_repeat_on_one_interface_is_none() {
    let mut seen = Seen::new();
    for at in 0..100 {
        assert!(seen.counts(0, at, &frame(1)));
    }
}

#[test]
fn a_repeat_on_both_counts_as_often_as_on_one() {
    let mut seen = Seen::new();
    let counted = [(0, 0), (0, 1), (1, 2), (1, 3), (1, 4), (0, 5)]
        .map(|(iface, ts)| seen.counts(iface, ts, &frame(1)));
    assert_eq!(counted, [true, true, false, false, true, false]);
}

#[test]
fn a_copy_after_the_window_counts_and_one_stamped_earlier_does_not() {
    let mut seen = Seen::new();
    assert!(seen.counts(0, 100 * MS, &frame(1)));
    assert!(!seen.counts(1, 91 * MS, &frame(1)));
    assert!(seen.counts(1, 111 * MS, &frame(1)));
}

#[test]
fn headers_below_ip_and_padding_do_not_matter() {
    let mut seen = Seen::new();
    let plain = frame(7);
    let mut tagged = plain.clone();
    tagged.splice(12..12, [0x81, 0, 0, 7]);
    let mut padded = plain.clone();
    padded.resize(60, 0xaa);
    assert!(seen.counts(0, 0, &plain));
    assert!(!seen.counts(1, 0, &tagged));
    assert!(!seen.counts(2, 0, &padded));
    assert!(seen.0.is_duplicate(3, 0, LinkType::RAW, &plain[14..]));
    let mut cooked = vec![0; 14];
    cooked.extend(&plain[12..]);
    assert!(seen.0.is_duplicate(4, 0, LinkType::LINUX_SLL, &cooked));
}

#[test]
fn a_routed_packet_is_another_one() {
    let mut seen = Seen::new();
    let mut routed = frame(1);
    routed[14 + 8] = 63;
    assert!(seen.counts(0, 0, &frame(1)));
    assert!(seen.counts(1, 1, &routed));
}

#[test]
fn a_broadcast_out_of_a_hundred_ports_counts_once() {
    let mut seen = Seen::new();
    let counted = (0..100).filter(|&iface| seen.counts(iface, i64::from(iface), &frame(1)));
    assert_eq!(counted.count(), 1);
}

#[test]
fn a_flood_of_one_packet_counts_once_however_the_rings_are_read() {
    let mut seen = Seen::new();
    let mut counted = 0;
    // 40 ms of 1 packet/µs on two interfaces, read in pieces of 20 ms each.
    for piece in 0..2 {
        for iface in 0..2 {
            let first = piece * 20_000;
            let times = first..first + 20_000;
            let new = times
                .filter(|at| seen.counts(iface, at * 1_000 + i64::from(iface) * 700, &frame(9)));
            counted += new.count();
        }
    }
    assert_eq!(counted, 40_000);
    assert_eq!(seen.0.evicted(), 0);
}

#[test]
fn forgetting_is_counted() {
    let mut seen = Seen::new();
    let mut many = frame(0);
    for number in 0..(SETS * WAYS * 2) as u32 {
        many[20..24].copy_from_slice(&number.to_be_bytes());
        assert!(seen.counts(0, 0, &many));
    }
    assert!(seen.0.evicted() > (SETS * WAYS / 2) as u64);
}

proptest! {
    /// Within a window: as often as the interface that showed it most. Any order, any key.
    #[test]
    fn counted_is_the_most_that_one_interface_showed(
        shows in prop::collection::vec((0..5_u16, 0..4_u16, 0..9 * MS), 0..200),
        key in any::<(u64, u64)>(),
    ) {
        let mut dedup = Dedup::with_key(key);
        let mut counted: HashMap<u16, u64> = HashMap::new();
        let mut shown: HashMap<(u16, u16), u64> = HashMap::new();
        for (iface, id, ts) in shows {
            let new = !dedup.is_duplicate(iface, ts, LinkType::ETHERNET, &frame(id));
            *counted.entry(id).or_default() += u64::from(new);
            *shown.entry((id, iface)).or_default() += 1;
        }
        for (id, counted) in counted {
            let most = (0..5).filter_map(|iface| shown.get(&(id, iface))).max();
            prop_assert_eq!(most, Some(&counted));
        }
    }

    #[test]
    fn any_bytes_will_do(link in 0..300_u16, data in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut dedup = Dedup::with_key((0, 0));
        prop_assert!(!dedup.is_duplicate(0, 0, LinkType(link), &data));
        prop_assert!(dedup.is_duplicate(1, 0, LinkType(link), &data));
    }
}

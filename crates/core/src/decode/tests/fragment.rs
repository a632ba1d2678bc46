//! Fragments put together.

use proptest::prelude::*;

use super::build::{ip4, ip4_piece, ip6, join, tcp, udp};
use super::*;
use crate::decode::Datagram;

/// A decoder fed with raw IP packets, one a second.
struct Feed {
    decoder: Decoder,
    now: i64,
}

impl Feed {
    fn new() -> Self {
        Self::with(&Config::default())
    }

    fn with(config: &Config) -> Self {
        Self { decoder: Decoder::new(config), now: 0 }
    }

    /// The datagram that a packet completes.
    fn feed(&mut self, data: &[u8]) -> Option<Datagram> {
        self.feed_cut(data, data.len())
    }

    fn feed_cut(&mut self, data: &[u8], captured: usize) -> Option<Datagram> {
        self.now += 1_000_000_000;
        let wire_len = data.len() as u32;
        let packet = Packet { ts: self.now, wire_len, ..packet(LinkType::RAW, &data[..captured]) };
        let mut out = Vec::new();
        self.decoder.decode(&packet, &mut out);
        match &out[..] {
            [Decoded::Fragment(fragment)] => self.decoder.fragment(fragment),
            other => panic!("{other:?}"),
        }
    }

    fn kinds(&self) -> Vec<(String, u64)> {
        counted(&self.decoder)
    }

    fn finish(mut self) -> Vec<(String, u64)> {
        self.decoder.finish();
        self.kinds()
    }
}

/// Piece of an IPv4 datagram with the bytes from `start` to `end` of `whole`.
fn piece(whole: &[u8], start: usize, end: usize) -> Vec<u8> {
    let more = if end < whole.len() { 0x2000 } else { 0 };
    ip4_piece(17, 7, more | (start / 8) as u16, &whole[start..end])
}

/// A datagram whose bytes all differ from their neighbours.
fn whole_datagram(length: usize) -> Vec<u8> {
    udp(9, &(0..length - 8).map(|n| n as u8).collect::<Vec<_>>())
}

#[test]
fn pieces_in_any_order_give_the_datagram() {
    let whole = whole_datagram(100);
    let pieces = [piece(&whole, 0, 40), piece(&whole, 40, 80), piece(&whole, 80, 100)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut feed = Feed::new();
        assert!(feed.feed(&pieces[order[0]]).is_none());
        assert!(feed.feed(&pieces[order[1]]).is_none());
        let datagram = feed.feed(&pieces[order[2]]).unwrap();
        let mut out = Vec::new();
        feed.decoder.datagram(&datagram, &mut out);
        let seen = super::whole(out.remove(0));
        assert_eq!((seen.ts, seen.packets, seen.ip_bytes), (3_000_000_000, 3, 160));
        assert_eq!((seen.src_port, seen.dst_port, seen.payload), (40000, 9, &whole[8..]));
        assert_eq!((seen.payload_len, seen.transport), (92, Transport::Udp));
        assert_eq!(feed.finish(), []);
    }
}

#[test]
fn ip6_goes_on_behind_the_fragment_header() {
    let whole = join(&[&[6, 0, 1, 4, 0, 0, 0, 0], &tcp(b"12345678")]);
    let mut feed = Feed::new();
    assert!(feed.feed(&ip6(44, &join(&[&[17, 0, 0, 24, 0, 0, 0, 1], &whole[24..]]))).is_none());
    let datagram = feed.feed(&ip6(44, &join(&[&[60, 0, 0, 1, 0, 0, 0, 1], &whole[..24]]))).unwrap();
    let mut out = Vec::new();
    feed.decoder.datagram(&datagram, &mut out);
    let seen = super::whole(out.remove(0));
    assert_eq!((seen.proto, seen.dst_port, seen.payload), (6, 443, &b"12345678"[..]));
    assert_eq!((seen.packets, seen.ip_bytes), (2, 48 + 12 + 48 + 24));
}

#[test]
fn tunnels_inside_are_followed() {
    let whole = ip4(6, &tcp(&[7; 60]));
    let cut = |start: usize, end: usize| {
        let more = if end < whole.len() { 0x2000 } else { 0 };
        ip4_piece(4, 1, more | (start / 8) as u16, &whole[start..end])
    };
    let mut feed = Feed::new();
    feed.feed(&cut(0, 48));
    let datagram = feed.feed(&cut(48, 100)).unwrap();
    let mut out = Vec::new();
    feed.decoder.datagram(&datagram, &mut out);
    let seen: Vec<_> = out.into_iter().map(super::whole).collect();
    assert_eq!((seen[0].proto, seen[0].packets, seen[0].tunnel), (4, 2, Tunnel::None));
    assert_eq!((seen[1].proto, seen[1].packets, seen[1].tunnel), (6, 1, Tunnel::IpInIp));
    assert_eq!(seen[1].payload, [7; 60]);
}

#[test]
fn what_comes_first_wins_and_overlaps_are_counted() {
    let whole = whole_datagram(80);
    let mut feed = Feed::new();
    feed.feed(&piece(&whole, 16, 32));
    feed.feed(&piece(&whole, 40, 48));
    let mut other = piece(&whole, 0, 56);
    other[20 + 16..20 + 32].fill(0xee);
    other[20 + 40..20 + 48].fill(0xee);
    assert!(feed.feed(&other).is_none());
    let datagram = feed.feed(&piece(&whole, 56, 80)).unwrap();
    assert_eq!((datagram.data, datagram.head.packets), (whole, 4));
    assert_eq!(feed.finish(), [("fragment overlap".to_owned(), 1)]);
}

#[test]
fn repetitions_are_counted_in_but_are_no_overlaps() {
    let whole = whole_datagram(80);
    let mut feed = Feed::new();
    feed.feed(&piece(&whole, 0, 40));
    feed.feed(&piece(&whole, 0, 40));
    let datagram = feed.feed(&piece(&whole, 40, 80)).unwrap();
    assert_eq!((datagram.head.packets, datagram.head.ip_bytes), (3, 180));
    assert_eq!(feed.finish(), []);
}

#[test]
fn ends_that_contradict_each_other_are_refused() {
    let whole = whole_datagram(80);
    let mut feed = Feed::new();
    feed.feed(&piece(&whole, 40, 80));
    assert!(feed.feed(&piece(&whole[..72], 40, 72)).is_none());
    assert!(feed.feed(&piece(&whole_datagram(200), 80, 96)).is_none());
    assert_eq!(feed.kinds(), [("fragment past end".to_owned(), 2)]);
    assert_eq!(feed.feed(&piece(&whole, 0, 40)).unwrap().data, whole);
}

#[test]
fn impossible_pieces_are_refused() {
    let mut feed = Feed::new();
    feed.feed(&ip4_piece(17, 1, 0x2000, b"1234567"));
    feed.feed(&ip4_piece(17, 1, 1, b""));
    assert_eq!(feed.kinds(), [("fragment length".to_owned(), 2)]);
    // The ping of death: the last piece ends behind the largest packet.
    let mut feed = Feed::new();
    feed.feed(&ip4_piece(1, 1, 0x1fff, &[0; 64]));
    assert_eq!(feed.finish(), [("fragment past 65535".to_owned(), 1)]);
}

#[test]
fn the_largest_datagram_fits() {
    let whole = whole_datagram(65_515);
    let mut feed = Feed::new();
    let mut last = None;
    for start in (0..whole.len()).step_by(1480) {
        last = feed.feed(&piece(&whole, start, (start + 1480).min(whole.len())));
        feed.now = 0;
    }
    assert_eq!(last.unwrap().data, whole);
}

#[test]
fn a_capture_that_cut_the_pieces_keeps_their_lengths() {
    let whole = whole_datagram(80);
    let mut feed = Feed::new();
    feed.feed_cut(&piece(&whole, 40, 80), 30);
    let datagram = feed.feed_cut(&piece(&whole, 0, 40), 50).unwrap();
    let mut out = Vec::new();
    feed.decoder.datagram(&datagram, &mut out);
    let seen = super::whole(out.remove(0));
    assert_eq!((seen.payload_len, seen.payload), (72, &whole[8..30]));
}

#[test]
fn time_runs_from_the_first_piece() {
    let whole = whole_datagram(80);
    let mut feed = Feed::new();
    feed.feed(&piece(&whole, 0, 40));
    feed.now += 31_000_000_000;
    assert!(feed.feed(&piece(&whole, 40, 80)).is_none());
    assert_eq!(feed.kinds(), [("fragments unfinished".to_owned(), 1)]);
    feed.decoder.expire(feed.now + 30_000_000_000);
    assert_eq!(feed.kinds(), [("fragments unfinished".to_owned(), 1)]);
    feed.decoder.expire(feed.now + 30_000_000_001);
    assert_eq!(feed.kinds(), [("fragments unfinished".to_owned(), 2)]);
}

#[test]
fn the_oldest_makes_room() {
    let mut feed = Feed::with(&Config { max_fragment_bytes: 3000, ..Config::default() });
    let start = |id| ip4_piece(17, id, 0x2000, &[0; 800]);
    let end = |id| ip4_piece(17, id, 100, &[1; 8]);
    for id in 0..3 {
        assert!(feed.feed(&start(id)).is_none());
    }
    assert_eq!(feed.kinds(), [("fragments evicted".to_owned(), 1)]);
    assert!(feed.feed(&end(2)).is_some());
    assert!(feed.feed(&end(0)).is_none());
    assert_eq!(
        feed.finish(),
        [("fragments unfinished".to_owned(), 2), ("fragments evicted".to_owned(), 1)]
    );
}

#[test]
fn crumbs_are_bounded() {
    let mut feed = Feed::new();
    for index in 0..2049u16 {
        assert!(feed.feed(&ip4_piece(17, 1, 0x2000 | (index * 2), &[0; 8])).is_none());
        feed.now = 0;
    }
    assert_eq!(feed.finish(), [("fragments too many".to_owned(), 2049)]);
}

#[test]
fn what_differs_in_anything_does_not_mix() {
    let whole = whole_datagram(80);
    let mut feed = Feed::new();
    feed.feed(&piece(&whole, 0, 40));
    let mut other = piece(&whole, 40, 80);
    other[5] ^= 1;
    assert!(feed.feed(&other).is_none());
    let mut other = piece(&whole, 40, 80);
    other[9] = 6;
    assert!(feed.feed(&other).is_none());
    assert!(feed.feed(&piece(&whole, 40, 80)).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any pieces of one datagram, overlapping in any way and in any order, give it.
    #[test]
    fn any_cover_gives_the_datagram(
        cuts in prop::collection::vec((0usize..40, 1usize..20), 0..30),
        length in 100usize..320,
        place in any::<prop::sample::Index>(),
    ) {
        let whole = whole_datagram(length);
        let ranges = cuts.iter().map(|&(start, blocks)| (start * 8, (start + blocks) * 8));
        let mut ranges: Vec<_> = ranges.filter(|range| range.1 < length).collect();
        ranges.insert(place.index(ranges.len() + 1), (0, 48));
        ranges.push((48, length));
        let mut feed = Feed::new();
        let mut given = 0;
        for (start, end) in ranges {
            feed.now = 0;
            if let Some(datagram) = feed.feed(&piece(&whole, start, end)) {
                prop_assert_eq!(&datagram.data, &whole);
                given += 1;
            }
        }
        prop_assert_eq!(given, 1);
    }
}

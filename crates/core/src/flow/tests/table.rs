//! The table's bound, its timers, and its independence of the hash seed.

use proptest::prelude::*;

use super::play::{CLIENT, Ended, MS, Play, SECOND, SERVER, datagram, tcp};
use crate::config::Config;
use crate::decode::{Segment, Tunnel};
use crate::flow::EndReason;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However many connections come, no more than the bound are open, and each ends once.
    #[test]
    fn never_holds_more_than_its_bound(bound in 1u32..40, ports in proptest::collection::vec(0u16..200, 1..400)) {
        let config = Config { max_flows: bound, ..Config::default() };
        let mut play = Play::with(&config, false);
        for port in &ports {
            play.segment(&datagram(17, CLIENT, *port, SERVER, 9, b"x"));
            prop_assert!(play.table.stats().flows <= bound);
        }
        let evicted = play.table.stats().evicted;
        let ended = play.end();
        prop_assert_eq!(ended.len(), play.notes.opened as usize);
        prop_assert_eq!(ended.iter().filter(|row| row.reason == EndReason::Evicted).count() as u64, evicted);
        prop_assert_eq!(ended.iter().map(|row| row.packets.0 + row.packets.1).sum::<u64>(), ports.len() as u64);
    }

    /// Two tables with their own random seeds say the same, word for word.
    #[test]
    fn the_seed_changes_nothing(steps in proptest::collection::vec((0u16..30, 0u8..4, 0i64..4000), 1..300)) {
        let run = || -> Vec<Ended> {
            let config = Config { max_flows: 12, ..Config::default() };
            let mut play = Play::with(&config, false);
            for (port, kind, pause) in &steps {
                play.now += pause * MS;
                match kind {
                    0 => play.segment(&tcp(CLIENT, *port, SERVER, 80, "S", 100, 0, b"")),
                    1 => play.segment(&tcp(SERVER, 80, CLIENT, *port, "SA", 100, 101, b"")),
                    2 => play.segment(&tcp(CLIENT, *port, SERVER, 80, "R", 101, 0, b"")),
                    _ => play.segment(&datagram(17, CLIENT, *port, SERVER, 53, b"q")),
                };
            }
            play.end()
        };
        prop_assert_eq!(run(), run());
    }
}

#[test]
fn those_without_an_answer_are_evicted_first() {
    let config = Config { max_flows: 10, ..Config::default() };
    let mut play = Play::with(&config, false);
    for port in 0..5 {
        play.segment(&datagram(17, CLIENT, port, SERVER, 53, b"q"));
        play.segment(&datagram(17, SERVER, 53, CLIENT, port, b"a"));
    }
    for port in 100..200 {
        play.segment(&tcp(CLIENT, port, SERVER, 80, "S", 100, 0, b""));
    }
    let evicted: Vec<_> = play.notes.ended.iter().map(|row| row.packets.1).collect();
    assert_eq!(evicted, [0; 95]);
}

#[test]
fn interim_rows_are_for_the_active() {
    let mut play = Play::new();
    play.handshake().segment(&datagram(17, CLIENT, 1, SERVER, 2, b"x"));
    play.table.sweep(&mut play.notes);
    assert_eq!(play.notes.interim, 2);
    play.up("A", 101, 101, b"more");
    play.table.sweep(&mut play.notes);
    assert_eq!(play.notes.interim, 3);
}

#[test]
fn a_leap_in_time_ends_everything_once() {
    let mut play = Play::new();
    for port in 0..1000 {
        play.segment(&datagram(17, CLIENT, port, SERVER, 53, b"q"));
    }
    play.wait(1_000_000 * SECOND);
    assert_eq!(play.notes.ended.len(), 1000);
    assert!(play.end().len() == 1000 && play.table.stats().flows == 0);
}

#[test]
fn time_may_go_back_and_to_its_ends() {
    let mut play = Play::new();
    let query = datagram(17, CLIENT, 1, SERVER, 53, b"q");
    for now in [i64::MAX, 0, i64::MIN, i64::MAX - 1, 5 * SECOND] {
        play.now = now - i64::from(now == i64::MAX) * MS;
        play.segment(&query);
    }
    assert!(!play.end().is_empty());
}

#[test]
fn a_tunnel_and_what_it_carries_keep_to_a_bound_of_one() {
    let config = Config { max_flows: 1, ..Config::default() };
    let mut play = Play::with(&config, false);
    let outer = datagram(47, CLIENT, 0, SERVER, 0, b"");
    let inner = Segment { tunnel: Tunnel::Gre, ..datagram(17, CLIENT, 1, SERVER, 2, b"x") };
    let place = play.table.place(&outer);
    let carrier = play.table.segment(&outer, &place, None, &mut play.notes);
    let place = play.table.place(&inner);
    play.table.segment(&inner, &place, Some(carrier), &mut play.notes);
    assert_eq!(play.table.stats().flows, 1);
    assert_eq!(play.end().len(), 2);
}

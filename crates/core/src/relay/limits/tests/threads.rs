//! Exactness: of n places n are given, however many threads ask at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{NOW, SECOND};
use crate::relay::limits::{Gate, Pass};
use crate::relay::plan::Limits;

const THREADS: u32 = 8;
const TRIES: u32 = 500;

/// How many of all threads' tries are let in, nobody leaving.
fn admitted(gate: &Gate, limits: &Limits, start: u32) -> Vec<Pass> {
    let barrier = Barrier::new(THREADS as usize);
    let run = |thread: u32| {
        barrier.wait();
        let source = |n: u32| std::net::Ipv4Addr::from(start + thread * TRIES + n).into();
        (0..TRIES)
            .filter_map(|n| gate.admit(limits, "it", source(n), 80, NOW).ok())
            .collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn of_n_places_n_are_given() {
    let start = 0x0a00_0000;
    let none = Limits::default();
    for (limits, expected) in [
        (Limits { connections: Some(100), ..none.clone() }, 100),
        (Limits { per_port: Some(77), ..none.clone() }, 77),
        (Limits { addresses: Some(123), ..none.clone() }, 123),
        // 4,000 addresses are fifteen networks and a part of one.
        (Limits { per_network: Some(3), ..none.clone() }, 48),
        (Limits { rate: Some(1e-3), burst: 55, ..none.clone() }, 55),
        (none.clone(), 4000),
    ] {
        let gate = Gate::new();
        let passes = admitted(&gate, &limits, start);
        assert_eq!(passes.len(), expected, "{limits:?}");
        assert_eq!(gate.counts("it", NOW).connections as usize, expected);
        drop(passes);
        assert_eq!((gate.connections(), gate.counts("it", NOW).addresses), (0, 0));
    }
    let gate = Gate::new();
    gate.set_most(Some(99));
    assert_eq!(admitted(&gate, &none, start).len(), 99);
}

#[test]
fn there_are_never_more_than_places_while_all_come_and_go() {
    let gate = Gate::new();
    let limits = Limits { connections: Some(3), per_address: Some(2), ..Limits::default() };
    let inside = AtomicUsize::new(0);
    let run = |thread: u32| {
        let source = std::net::Ipv4Addr::from(0x0a00_0000 + thread / 4).into();
        for n in 0..2000 {
            let pass = if n % 2 == 0 {
                gate.admit(&limits, "it", source, 80, NOW)
            } else {
                gate.reserve(&limits, "it").and_then(|seat| seat.admit(&limits, source, 80, NOW))
            };
            if let Ok(pass) = pass {
                assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                pass.spend(1, NOW + SECOND);
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        }
    };
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || run(thread));
        }
    });
    let counts = gate.counts("it", NOW);
    assert_eq!((gate.connections(), counts.connections, counts.addresses), (0, 0, 0));
}

//! Rates of new connections.

use proptest::prelude::*;

use super::{NOW, SECOND, cause, come};
use crate::relay::limits::{Gate, MOST_PACED};
use crate::relay::plan::Limits;

fn rate(rate: f64, burst: u32) -> Limits {
    Limits { rate: Some(rate), burst, ..Limits::default() }
}

fn own_rate(rate: f64, burst: u32) -> Limits {
    Limits { rate_per_address: Some(rate), burst_per_address: burst, ..Limits::default() }
}

#[test]
fn a_burst_comes_at_once_and_then_as_many_as_the_rate_allows() {
    let gate = Gate::new();
    let limits = rate(2.0, 3);
    let at = |now| come(&gate, &limits, "192.0.2.1", now).map(|_| ());
    assert_eq!([at(NOW), at(NOW), at(NOW)], [Ok(()); 3]);
    assert_eq!(at(NOW), Err("rate"));
    assert_eq!(at(NOW + SECOND / 2 - 1), Err("rate"));
    assert_eq!(at(NOW + SECOND / 2), Ok(()));
    assert_eq!(at(NOW + SECOND / 2), Err("rate"));
    assert_eq!(
        [at(NOW + 100 * SECOND), at(NOW + 100 * SECOND), at(NOW + 100 * SECOND)],
        [Ok(()); 3]
    );
    assert_eq!(at(NOW + 100 * SECOND), Err("rate"));
}

#[test]
fn each_address_has_its_own_rate() {
    let gate = Gate::new();
    let limits = own_rate(1.0, 1);
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "");
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "rate_per_address");
    assert_eq!(cause(&gate, &limits, "192.0.2.2"), "");
    // Who has a network of IPv6 has as many addresses as he likes.
    assert_eq!(cause(&gate, &limits, "2001:db8::1"), "");
    assert_eq!(cause(&gate, &limits, "2001:db8::2"), "rate_per_address");
    assert_eq!(cause(&gate, &limits, "2001:db8:0:1::1"), "");
}

#[test]
fn a_clock_that_is_put_back_keeps_nobody_out() {
    let gate = Gate::new();
    for limits in [rate(1.0, 1), own_rate(1.0, 1)] {
        let at = |now| come(&gate, &limits, "192.0.2.1", now).map(|_| ());
        assert_eq!(at(NOW), Ok(()));
        assert!(at(NOW - 3600 * SECOND).is_err());
        assert_eq!(at(NOW - 3599 * SECOND), Ok(()));
        assert!(at(NOW - 3599 * SECOND).is_err());
    }
}

#[test]
fn a_rate_that_is_raised_counts_at_once() {
    let gate = Gate::new();
    for (slow, fast) in [(rate(0.001, 1), rate(10.0, 1)), (own_rate(0.001, 1), own_rate(10.0, 1))] {
        let at = |limits, now| come(&gate, limits, "192.0.2.1", now).map(|_| ());
        assert_eq!(at(&slow, NOW), Ok(()));
        assert!(at(&fast, NOW).is_err());
        assert_eq!(at(&fast, NOW + SECOND / 5), Ok(()));
    }
}

#[test]
fn rates_that_are_no_numbers_allow_a_burst() {
    for odd in [0.0, -1.0, f64::NAN, 1e-300] {
        let (gate, limits) = (Gate::new(), rate(odd, 2));
        assert_eq!(cause(&gate, &limits, "192.0.2.1"), "");
        assert_eq!(cause(&gate, &limits, "192.0.2.1"), "");
        assert_eq!(cause(&gate, &limits, "192.0.2.1"), "rate", "{odd}");
    }
    let (gate, limits) = (Gate::new(), rate(f64::INFINITY, 1));
    assert_eq!(
        (cause(&gate, &limits, "192.0.2.1"), cause(&gate, &limits, "192.0.2.1")),
        ("", "rate")
    );
}

#[test]
fn a_flood_of_addresses_does_not_make_an_abuser_forgotten() {
    let gate = Gate::new();
    let limits = own_rate(0.001, 10);
    for _ in 0..10 {
        assert_eq!(cause(&gate, &limits, "192.0.2.1"), "");
    }
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "rate_per_address");
    let flood = 2 * MOST_PACED as u32;
    for n in 0..flood {
        let from = std::net::Ipv4Addr::from(0x0a00_0000 + n);
        assert!(gate.admit(&limits, "it", from.into(), 80, NOW).is_ok());
    }
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "rate_per_address");
    assert_eq!(gate.counts("it", NOW).forgotten, u64::from(flood) + 1 - MOST_PACED as u64);
}

#[test]
fn addresses_that_owe_nothing_are_forgotten_first() {
    let gate = Gate::new();
    let limits = own_rate(100.0, 1);
    for n in 0..3 * MOST_PACED as u32 {
        let from = std::net::Ipv4Addr::from(0x0a00_0000 + n);
        // A thousand a second, each paid after 10 ms.
        assert!(
            gate.admit(&limits, "it", from.into(), 80, NOW + i64::from(n) * SECOND / 1000).is_ok()
        );
    }
    assert_eq!(gate.counts("it", NOW).forgotten, 0);
}

proptest! {
    #[test]
    fn no_more_come_in_than_rate_and_burst_allow(
        pauses in prop::collection::vec(0_i64..2_000, 1..200),
        per_second in 1_u32..50,
        burst in 1_u32..20,
        own in any::<bool>(),
    ) {
        let gate = Gate::new();
        let limits = if own { own_rate(per_second.into(), burst) } else { rate(per_second.into(), burst) };
        let mut now = NOW;
        let mut came = Vec::new();
        let mut refused = 0;
        for pause in pauses {
            now += pause * 1_000_000;
            match come(&gate, &limits, "192.0.2.1", now) {
                Ok(_) => came.push(now),
                Err(_) => refused += 1,
            }
        }
        prop_assert!(!came.is_empty());
        for (at, first) in came.iter().enumerate() {
            for (count, last) in came[at..].iter().enumerate() {
                let span = (last - first) as f64 / 1e9;
                let most = f64::from(burst) + span * f64::from(per_second) + 1e-6;
                prop_assert!((count + 1) as f64 <= most, "{} in {span} s", count + 1);
            }
        }
        // As many as there was room for: who was refused found a whole burst owed.
        prop_assert!(refused == 0 || came.len() >= burst as usize);
    }
}

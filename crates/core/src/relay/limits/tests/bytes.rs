//! Bytes per second and per day.

use super::{DAY, NOW, SECOND, come};
use crate::relay::limits::Gate;
use crate::relay::plan::Limits;

#[test]
fn a_connection_rests_until_its_bytes_are_paid_for() {
    let gate = Gate::new();
    let limits = Limits { bytes_per_second_connection: Some(1000), ..Limits::default() };
    let pass = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    assert_eq!(pass.at_once(), 100);
    assert_eq!(gate.spend(&pass, 100, NOW), None);
    assert_eq!(gate.spend(&pass, 100, NOW), Some(SECOND / 10));
    assert_eq!(gate.spend(&pass, 100, NOW + SECOND / 10), Some(SECOND / 10));
    assert_eq!(gate.spend(&pass, 100, NOW + SECOND), None);
    let other = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    assert_eq!(gate.spend(&other, 100, NOW + SECOND), None);
}

#[test]
fn connections_of_a_service_share_its_bytes_in_turn() {
    let gate = Gate::new();
    let limits = Limits { bytes_per_second: Some(1_000_000), ..Limits::default() };
    let passes: Vec<_> = (0..10).map(|_| come(&gate, &limits, "192.0.2.1", NOW).unwrap()).collect();
    let mut now = NOW;
    let mut moved = 0_u64;
    let mut ready = vec![NOW; passes.len()];
    while now < NOW + 10 * SECOND {
        for (pass, ready) in passes.iter().zip(&mut ready) {
            if *ready <= now {
                moved += 20_000;
                *ready = now + gate.spend(pass, 20_000, now).unwrap_or(0);
            }
        }
        now += SECOND / 1000;
    }
    let rate = moved / 10;
    assert!((950_000..1_050_000).contains(&rate), "{rate}");
    assert_eq!(gate.counts("it", now).today, moved);
}

#[test]
fn a_limit_on_bytes_that_was_set_slows_connections_that_are_there() {
    let gate = Gate::new();
    let pass = come(&gate, &Limits::default(), "192.0.2.1", NOW).unwrap();
    assert_eq!((gate.spend(&pass, 1 << 30, NOW), pass.at_once()), (None, usize::MAX));
    gate.set(&Limits { bytes_per_second: Some(1 << 20), ..Limits::default() }, "it");
    assert_eq!(gate.spend(&pass, 1 << 20, NOW), Some(SECOND - SECOND / 10));
    gate.set(&Limits::default(), "it");
    assert_eq!(gate.spend(&pass, 1 << 20, NOW), None);
}

#[test]
fn a_clock_that_is_put_back_makes_no_rest_longer() {
    let gate = Gate::new();
    let limits = Limits { bytes_per_second_connection: Some(1000), ..Limits::default() };
    let pass = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    assert_eq!(gate.spend(&pass, 200, NOW), Some(SECOND / 10));
    assert_eq!(gate.spend(&pass, 100, NOW - 3600 * SECOND), Some(SECOND / 5));
}

#[test]
fn a_day_has_its_bytes_and_ends_at_midnight() {
    let gate = Gate::new();
    let limits = Limits { bytes_per_day: Some(1000), ..Limits::default() };
    let pass = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    assert_eq!(gate.spend(&pass, 999, NOW), None);
    assert!(come(&gate, &limits, "192.0.2.1", NOW).is_ok());
    assert_eq!(gate.spend(&pass, 1, NOW), None);
    assert_eq!(come(&gate, &limits, "192.0.2.1", NOW).unwrap_err(), "bytes_per_day");
    let midnight = (NOW / DAY + 1) * DAY;
    assert_eq!(come(&gate, &limits, "192.0.2.1", midnight - 1).unwrap_err(), "bytes_per_day");
    assert!(come(&gate, &limits, "192.0.2.1", midnight).is_ok());
    // A clock that is put back a little does not begin yesterday anew.
    gate.spend(&pass, 500, midnight);
    assert_eq!(gate.counts("it", midnight - 1).today, 500);
    assert_eq!(gate.counts("it", midnight + 1).today, 500);
    assert_eq!(gate.counts("it", midnight + DAY).today, 0);
}

#[test]
fn the_day_goes_on_from_what_the_store_knows() {
    let gate = Gate::new();
    let limits = Limits { bytes_per_day: Some(1000), ..Limits::default() };
    gate.set_today("it", 1000, NOW);
    assert_eq!(come(&gate, &limits, "192.0.2.1", NOW).unwrap_err(), "bytes_per_day");
    assert!(come(&gate, &limits, "192.0.2.1", NOW + DAY).is_ok());
}

#[test]
fn numbers_that_make_no_sense_stop_nothing_for_good() {
    let gate = Gate::new();
    let limits = Limits {
        bytes_per_second: Some(0),
        bytes_per_second_connection: Some(u64::MAX),
        ..Limits::default()
    };
    let pass = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    assert_eq!(pass.at_once(), 1);
    assert!(gate.spend(&pass, u64::MAX, NOW).is_some());
    assert_eq!(gate.counts("it", NOW).today, u64::MAX);
}

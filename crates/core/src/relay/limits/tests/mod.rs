//! Who is let in, played; and threads that arrive at once.

mod bytes;
mod paced;
mod threads;

use std::net::IpAddr;

use super::{Gate, Pass, Refused};
use crate::packet::Nanos;
use crate::relay::plan::Limits;

pub(super) const SECOND: Nanos = 1_000_000_000;
pub(super) const DAY: Nanos = 86_400 * SECOND;

/// Some time today.
pub(super) const NOW: Nanos = 20_000 * DAY + 1_000 * SECOND;

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Somebody comes to port 80.
pub(super) fn come(
    gate: &Gate,
    limits: &Limits,
    from: &str,
    now: Nanos,
) -> Result<Pass, &'static str> {
    gate.admit(limits, "it", ip(from), 80, now).map_err(|Refused { cause }| cause)
}

fn cause(gate: &Gate, limits: &Limits, from: &str) -> &'static str {
    come(gate, limits, from, NOW).err().unwrap_or("")
}

#[test]
fn places_are_given_back() {
    let gate = Gate::new();
    let limits = Limits { connections: Some(2), ..Limits::default() };
    let one = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    let _two = come(&gate, &limits, "192.0.2.2", NOW).unwrap();
    assert_eq!(cause(&gate, &limits, "192.0.2.3"), "connections");
    drop(one);
    assert_eq!(cause(&gate, &limits, "192.0.2.3"), "");
    let counts = gate.counts("it", NOW);
    assert_eq!((counts.connections, counts.addresses), (1, 1));
    assert_eq!(counts.refused, [("connections", 1)]);
}

#[test]
fn an_address_a_network_and_a_port_have_their_own_places() {
    let gate = Gate::new();
    let limits = Limits { per_address: Some(1), per_network: Some(2), ..Limits::default() };
    let _one = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "per_address");
    assert_eq!(cause(&gate, &limits, "::ffff:192.0.2.1"), "per_address");
    let _two = come(&gate, &limits, "192.0.2.2", NOW).unwrap();
    assert_eq!(cause(&gate, &limits, "192.0.2.3"), "per_network");
    let _three = come(&gate, &limits, "192.0.3.3", NOW).unwrap();
    let _four = come(&gate, &limits, "2001:db8:0:1::1", NOW).unwrap();
    let _five = come(&gate, &limits, "2001:db8:0:1::2", NOW).unwrap();
    assert_eq!(cause(&gate, &limits, "2001:db8:0:1::3"), "per_network");
    assert_eq!(cause(&gate, &limits, "2001:db8:0:2::1"), "");

    let limits = Limits { per_port: Some(1), ..Limits::default() };
    let _ssh = gate.admit(&limits, "it", ip("192.0.2.9"), 22, NOW).unwrap();
    assert_eq!(gate.admit(&limits, "it", ip("192.0.2.9"), 22, NOW).unwrap_err().cause, "per_port");
    assert!(gate.admit(&limits, "it", ip("192.0.2.9"), 23, NOW).is_ok());
}

#[test]
fn networks_are_as_long_as_is_said_when_they_come() {
    let gate = Gate::new();
    let wide = Limits { per_network: Some(1), network_v4: 16, network_v6: 48, ..Limits::default() };
    let narrow = Limits { network_v4: 32, ..wide.clone() };
    let one = come(&gate, &wide, "10.1.0.1", NOW).unwrap();
    assert_eq!(cause(&gate, &wide, "10.1.255.1"), "per_network");
    let _two = come(&gate, &narrow, "10.1.255.1", NOW).unwrap();
    drop(one);
    assert_eq!(cause(&gate, &wide, "10.1.2.3"), "");
}

#[test]
fn who_is_known_may_have_more_where_addresses_are_limited() {
    let gate = Gate::new();
    let limits = Limits { addresses: Some(2), ..Limits::default() };
    let one = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    let again = come(&gate, &limits, "192.0.2.1", NOW).unwrap();
    let _two = come(&gate, &limits, "192.0.2.2", NOW).unwrap();
    assert_eq!(cause(&gate, &limits, "192.0.2.3"), "addresses");
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "");
    drop(one);
    assert_eq!(cause(&gate, &limits, "192.0.2.3"), "addresses");
    drop(again);
    assert_eq!(cause(&gate, &limits, "192.0.2.3"), "");
    assert_eq!(gate.addresses("it"), [(ip("192.0.2.2"), 1)]);
}

#[test]
fn rejected_addresses_do_not_come_in_until_they_are_released() {
    let gate = Gate::new();
    let limits = Limits::default();
    assert!(gate.reject(ip("::ffff:192.0.2.1")));
    assert!(!gate.reject(ip("192.0.2.1")));
    assert!(gate.reject(ip("2001:db8::1")));
    assert_eq!(gate.rejected(), [ip("192.0.2.1"), ip("2001:db8::1")]);
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "rejected");
    assert_eq!(cause(&gate, &limits, "192.0.2.2"), "");
    assert!(gate.release(ip("192.0.2.1")));
    assert!(!gate.release(ip("192.0.2.1")));
    assert_eq!(cause(&gate, &limits, "192.0.2.1"), "");
}

#[test]
fn a_limit_that_was_changed_applies_to_who_is_in() {
    let gate = Gate::new();
    let _in: Vec<Pass> = (1..6)
        .map(|n| come(&gate, &Limits::default(), &format!("192.0.2.{n}"), NOW).unwrap())
        .collect();
    let limits = Limits { connections: Some(6), ..Limits::default() };
    let _last = come(&gate, &limits, "192.0.2.9", NOW).unwrap();
    assert_eq!(cause(&gate, &limits, "192.0.2.9"), "connections");
    assert_eq!(
        cause(&gate, &Limits { connections: Some(3), ..limits.clone() }, "192.0.2.9"),
        "connections"
    );
    assert_eq!(cause(&gate, &Limits { connections: Some(7), ..limits }, "192.0.2.9"), "");
}

#[test]
fn services_count_apart_and_the_relay_counts_all() {
    let gate = Gate::new();
    let limits = Limits { connections: Some(1), ..Limits::default() };
    gate.set_most(Some(2));
    let one = gate.admit(&limits, "a", ip("192.0.2.1"), 80, NOW).unwrap();
    let two = gate.admit(&limits, "b", ip("192.0.2.1"), 80, NOW).unwrap();
    assert_eq!(gate.connections(), 2);
    let refused =
        |gate: &Gate| gate.admit(&limits, "c", ip("192.0.2.1"), 80, NOW).unwrap_err().cause;
    assert_eq!(refused(&gate), "relay_connections");
    assert_eq!(gate.reserve(&limits, "c").unwrap_err().cause, "relay_connections");
    drop(one);
    assert!(gate.admit(&limits, "c", ip("192.0.2.1"), 80, NOW).is_ok());
    gate.set_most(None);
    assert_eq!(gate.counts("c", NOW).connections, 0);
    gate.retain(|name| name == "c");
    drop(two);
    assert_eq!(gate.connections(), 0);
}

#[test]
fn a_seat_is_held_before_anybody_comes() {
    let gate = Gate::new();
    let limits = Limits { connections: Some(1), per_address: Some(1), ..Limits::default() };
    let seat = gate.reserve(&limits, "it").unwrap();
    assert_eq!(gate.reserve(&limits, "it").unwrap_err().cause, "connections");
    let pass = seat.admit(&limits, ip("192.0.2.1"), 80, NOW).unwrap();
    assert_eq!((gate.connections(), gate.counts("it", NOW).connections), (1, 1));
    drop(pass);
    assert_eq!((gate.connections(), gate.counts("it", NOW).connections), (0, 0));
    drop(gate.reserve(&limits, "it").unwrap());
    let seat = gate.reserve(&limits, "it").unwrap();
    gate.reject(ip("192.0.2.1"));
    assert_eq!(seat.admit(&limits, ip("192.0.2.1"), 80, NOW).unwrap_err().cause, "rejected");
    assert_eq!((gate.connections(), gate.counts("it", NOW).connections), (0, 0));
}

#[test]
fn nothing_is_counted_of_who_is_refused() {
    let gate = Gate::new();
    let limits = Limits { per_address: Some(0), rate: Some(1.0), ..Limits::default() };
    for _ in 0..100 {
        assert_eq!(cause(&gate, &limits, "192.0.2.1"), "per_address");
    }
    assert_eq!(cause(&gate, &Limits { per_address: None, ..limits }, "192.0.2.1"), "");
    assert_eq!((gate.connections(), gate.counts("it", NOW).addresses), (0, 0));
}

//! Names that DNS answers give to the connections that follow them.

use super::dns::{query, record, reply};
use crate::decode::Address;
use crate::flow::{Chunk, Direction, Flow, Observed};
use crate::packet::Nanos;
use crate::protocols::{Names, Protocols, Settings};

const SECOND: Nanos = 1_000_000_000;
const OBSERVED: Observed<'static> = Observed { sensor: "", interfaces: &[] };

fn v4(last: u8) -> Address {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last]
}

/// A resolver's connection, and others after it.
struct Net {
    protocols: Protocols,
}

impl Net {
    fn new() -> Self {
        Self { protocols: Protocols::new(Settings::default()) }
    }

    /// A client asks and gets this reply, at these times.
    fn resolve(&mut self, client: u8, at: Nanos, asked: &[u8], told: &[u8]) -> Flow {
        let mut flow = Flow::between((v4(client), 40000), (v4(53), 53), 17, at);
        for (direction, data) in [(Direction::Up, asked), (Direction::Down, told)] {
            let chunk = Chunk { direction, ts: at, gap: 0, data };
            self.protocols.datagram(&mut flow, &chunk, false, OBSERVED);
        }
        flow
    }

    /// The name of a connection that is opened then, and its age.
    fn open(&mut self, client: u8, called: u8, at: Nanos) -> Option<(String, Nanos)> {
        let mut flow = Flow::between((v4(client), 40001), (v4(called), 443), 6, at);
        self.protocols.opened(&mut flow);
        let name = flow.talk.as_ref()?.name.as_ref()?;
        assert_eq!(name.source.name(), "dns");
        Some((name.text.to_string(), at - name.ts))
    }
}

fn named(name: &str, age: Nanos) -> (String, Nanos) {
    (name.to_owned(), age)
}

#[test]
fn an_answer_names_what_is_opened_until_its_time_is_over() {
    let mut net = Net::new();
    assert_eq!(net.open(1, 9, 0), None);
    // The time to live of the builder's records is 300 s.
    net.resolve(
        1,
        10,
        &query(1, "Www.example", 1),
        &reply(1, "Www.example", 1, 0, &[&[192, 0, 2, 9]]),
    );
    assert_eq!(net.open(1, 9, 10), None, "of the same moment");
    assert_eq!(net.open(1, 9, 11), Some(named("Www.example", 1)));
    assert_eq!(net.open(1, 9, 10 + 300 * SECOND), Some(named("Www.example", 300 * SECOND)));
    assert_eq!(net.open(1, 9, 11 + 300 * SECOND), None);
    assert_eq!(net.open(1, 8, 11), None);
}

#[test]
fn a_client_has_its_own_names_and_else_those_of_others() {
    let mut net = Net::new();
    let address = &[&[192, 0, 2, 9][..]];
    net.resolve(1, 10, &query(1, "mine", 1), &reply(1, "mine", 1, 0, address));
    net.resolve(2, 20, &query(1, "theirs", 1), &reply(1, "theirs", 1, 0, address));
    assert_eq!(net.open(1, 9, 30), Some(named("mine", 20)));
    assert_eq!(net.open(2, 9, 30), Some(named("theirs", 10)));
    assert_eq!(net.open(3, 9, 30), Some(named("theirs", 10)));
}

#[test]
fn aliases_are_followed_to_the_name_that_was_asked_for() {
    let mut net = Net::new();
    let wire = super::dns::name;
    let answers = [
        record(&wire("c"), 1, 300, &[192, 0, 2, 9]),
        record(&wire("B"), 5, 2, &wire("c")),
        record(&wire("a"), 5, 300, &wire("b")),
        record(&wire("other"), 1, 300, &[192, 0, 2, 8]),
    ];
    let question = super::dns::question("a", 1);
    let told = super::dns::message(1, 0x8000, [1, 4, 0, 0], &[&question, &answers.concat()]);
    net.resolve(1, 10, &query(1, "a", 1), &told);
    assert_eq!(net.open(1, 9, 11), Some(named("a", 1)));
    assert_eq!(net.open(1, 8, 11), None);
    // The shortest time to live on the way counts.
    assert_eq!(net.open(1, 9, 11 + 2 * SECOND), None);
}

#[test]
fn what_nobody_asked_for_and_what_failed_names_nothing() {
    let mut net = Net::new();
    let told = reply(1, "a", 1, 0, &[&[192, 0, 2, 9]]);
    net.resolve(1, 10, &query(2, "a", 1), &told);
    net.resolve(1, 10, &query(1, "b", 1), &told);
    net.resolve(1, 10, &query(3, "a", 1), &reply(3, "a", 1, 2, &[&[192, 0, 2, 9]]));
    assert_eq!(net.open(1, 9, 11), None);
}

#[test]
fn a_connection_is_not_named_by_its_own_answers() {
    let mut net = Net::new();
    let told = reply(1, "resolver", 1, 0, &[&[192, 0, 2, 53]]);
    let mut flow = net.resolve(1, 10, &query(1, "resolver", 1), &told);
    net.protocols.opened(&mut flow);
    assert!(flow.talk.is_none_or(|talk| talk.name.is_none()));
}

#[test]
fn time_to_live_has_bounds() {
    let mut names = Names::new(10);
    names.learn(&v4(1), &v4(8), &"zero".into(), 0, 0);
    names.learn(&v4(1), &v4(9), &"ever".into(), u32::MAX, 0);
    assert!(names.find(&v4(1), &v4(8), SECOND).is_some());
    assert!(names.find(&v4(1), &v4(8), SECOND + 1).is_none());
    assert!(names.find(&v4(1), &v4(9), 86_400 * SECOND).is_some());
    assert!(names.find(&v4(1), &v4(9), 86_400 * SECOND + 1).is_none());
    names.learn(&v4(1), &v4(7), &"last".into(), 1, Nanos::MAX);
    assert!(names.find(&v4(1), &v4(7), Nanos::MAX).is_none());
}

#[test]
fn the_oldest_are_forgotten() {
    let mut names = Names::new(20);
    let known = |names: &Names| {
        (0..=255).filter(|last| names.find(&v4(1), &v4(*last), SECOND).is_some()).count()
    };
    for last in 0..=255 {
        names.learn(&v4(1), &v4(last), &"name".into(), 300, 0);
        assert!(known(&names) <= 20);
        assert!(names.find(&v4(1), &v4(last.saturating_sub(9)), SECOND).is_some());
    }
    // Long names count for several.
    let long = "x".repeat(640);
    for last in 0..=255 {
        names.learn(&v4(1), &v4(last), &long.as_str().into(), 300, 0);
    }
    assert!(known(&names) <= 2);
    let mut none = Names::new(0);
    none.learn(&v4(1), &v4(9), &"name".into(), 300, 0);
    assert!(none.find(&v4(1), &v4(9), SECOND).is_none());
}

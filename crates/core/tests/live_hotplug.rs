//! Interfaces that come, go, change and come back while a capture runs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "live/net.rs"]
mod net;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "live/seen.rs"]
mod seen;

use std::time::{Duration, Instant};

use net::{Net, SEND, drop_privileges, pair};
use seen::{Watch, config, filter};
use tidegate_core::capture::InterfaceState::{Down, Gone, Up};
use tidegate_core::capture::live::LiveSource;

/// What a person may wait for an interface to be watched.
const SOON: Duration = Duration::from_secs(2);

/// Adds a veth pair `NAME` and `NAMEx`, both up.
fn add(net: &Net, name: &str) {
    net.ip(&format!("link add {name} type veth peer name {name}x"));
    net.ip(&format!("link set {name} up"));
    net.ip(&format!("link set {name}x up"));
}

/// Sends `count` ICMP packets out of an interface.
fn send(net: &Net, name: &str, count: usize) {
    net.python(&format!("{SEND}\nsend('{name}', [frame(icmp())] * {count})"));
}

/// How many packets came by the interface that is called so.
fn by(watch: &Watch, name: &str) -> usize {
    let number = watch.names.iter().position(|known| known == name);
    watch.packets.iter().filter(|p| Some(usize::from(p.iface)) == number).count()
}

#[test]
fn one_that_comes_up_later_is_watched_within_two_seconds() {
    let Some(net) = Net::new() else { return };
    net.ip("link set lo up");
    net.enter(|| {
        let mut watch = Watch::new(&[], filter("icmp"));
        watch.rest();
        net.ip("link add late type veth peer name latex");
        watch.rest();
        assert_eq!(watch.names, ["lo"], "it is there but not up");
        net.ip("link set late up");
        let start = Instant::now();
        watch.until_said("late: came up, watched since ");
        assert!(start.elapsed() < SOON);
        net.ip("link set latex up");
        watch.until_said("latex: came up, watched since ");
        assert_eq!(watch.names, ["lo", "late", "latex"]);
        send(&net, "late", 3);
        watch.until(|w| w.packets.len() >= 3);
        watch.rest();
        // Both ends saw each: once is counted, whichever end was read first.
        assert_eq!(watch.packets.len(), 3);
        assert_eq!(watch.stats().duplicates.iter().sum::<u64>(), 3);
        assert_eq!(watch.stats().states, [Up, Up, Up]);
    });
}

#[test]
fn one_that_is_deleted_and_made_again_keeps_its_number() {
    let Some(net) = Net::new() else { return };
    add(&net, "one");
    net.enter(|| {
        let mut watch = Watch::new(&["one"], filter("icmp"));
        for round in 1..=3 {
            send(&net, "onex", 2);
            watch.until(|w| w.packets.len() == round * 2);
            net.ip("link del one");
            watch.until(|_| true);
            wait_for(&mut watch, |w| w.stats().states == [Gone]);
            net.ip("link add other type bridge"); // so that the index is another one
            add(&net, "one");
            wait_for(&mut watch, |w| w.stats().states == [Up]);
            net.ip("link del other");
        }
        assert_eq!(watch.names, ["one"]);
        assert!(watch.packets.iter().all(|p| p.iface == 0));
        assert_eq!(watch.stats().kernel_dropped, [0]);
    });
}

/// Polls until the condition, which may ask the source, holds.
fn wait_for(watch: &mut Watch, done: impl Fn(&mut Watch) -> bool) {
    for _ in 0..400 {
        if done(watch) {
            return;
        }
        watch.step();
    }
    panic!("in vain: {:?}", watch.stats());
}

#[test]
fn one_that_is_renamed_goes_on_under_its_new_name() {
    let Some(net) = Net::new() else { return };
    net.ip("link set lo up");
    add(&net, "old");
    net.enter(|| {
        let mut watch = Watch::new(&[], filter("icmp"));
        net.ip("link set oldx down");
        net.ip("link set old down");
        net.ip("link set old name new");
        net.ip("link set new up");
        net.ip("link set oldx up");
        watch.until_said("old: is called new now");
        send(&net, "new", 2);
        watch.until(|w| w.packets.len() >= 2);
        watch.rest();
        assert_eq!(by(&watch, "old"), 0);
        assert_eq!(by(&watch, "new") + by(&watch, "oldx"), 2);
        let old = watch.names.iter().position(|name| name == "old").unwrap();
        assert_eq!(watch.stats().states[old], Gone);
    });
}

#[test]
fn a_name_that_was_asked_for_is_followed_to_the_interface_that_has_it() {
    let Some(net) = Net::new() else { return };
    add(&net, "one");
    net.enter(|| {
        let mut watch = Watch::new(&["one"], filter("icmp"));
        net.ip("link set one down");
        net.ip("link set one name two");
        watch.until_said("one: the interface is gone since ");
        net.ip("link add one type veth peer name peer");
        net.ip("link set one up");
        net.ip("link set peer up");
        watch.until_said("one: came up, watched since ");
        net.ip("link set two up");
        send(&net, "onex", 5);
        send(&net, "peer", 1);
        watch.until(|w| !w.packets.is_empty());
        watch.rest();
        assert_eq!(watch.packets.len(), 1);
    });
}

#[test]
fn down_and_up_again_is_watched_on() {
    let Some(net) = Net::new() else { return };
    add(&net, "one");
    net.enter(|| {
        let mut watch = Watch::new(&[], filter("icmp"));
        for _ in 0..3 {
            net.ip("link set one down");
            wait_for(&mut watch, |w| w.stats().states.contains(&Down));
            net.ip("link set one up");
            wait_for(&mut watch, |w| w.stats().states == [Up, Up]);
            let before = watch.packets.len();
            send(&net, "onex", 1);
            watch.until(|w| w.packets.len() == before + 1);
        }
    });
}

#[test]
fn each_time_it_goes_down_and_comes_up_is_told() {
    let Some(net) = Net::new() else { return };
    add(&net, "one");
    net.enter(|| {
        let mut watch = Watch::new(&["one"], filter("icmp"));
        for round in 1..=2 {
            for (way, said) in
                [("down", "one: the interface is down since "), ("up", "one: came up")]
            {
                let start = Instant::now();
                net.ip(&format!("link set one {way}"));
                wait_for(&mut watch, |w| {
                    let told = w.stats().warnings;
                    told.iter().filter(|line| line.starts_with(said)).count() == round
                });
                assert!(start.elapsed() < SOON);
            }
            // The same change within the same second is the same news.
            std::thread::sleep(Duration::from_millis(1001));
        }
    });
}

#[test]
fn a_hundred_quick_changes_end_with_what_is_there() {
    let Some(net) = Net::new() else { return };
    net.ip("link set lo up");
    net.enter(|| {
        let mut watch = Watch::new(&[], filter("icmp"));
        for round in 0..25 {
            add(&net, &format!("q{}", round % 5));
            watch.step();
            net.ip(&format!("link del q{}", round % 5));
        }
        add(&net, "last");
        watch.until_said("last: came up, watched since ");
        watch.until_said("lastx: came up, watched since ");
        send(&net, "last", 1);
        watch.until(|w| by(w, "last") + by(w, "lastx") == 1);
        wait_for(&mut watch, |w| w.stats().states.iter().filter(|s| **s == Up).count() == 3);
        assert!(watch.names.len() <= 3 + 10);
        assert!(watch.stats().warnings.len() <= 130);
    });
}

#[test]
fn without_any_interface_it_waits_for_one() {
    let Some(net) = Net::new() else { return };
    net.enter(|| {
        let mut watch = Watch::new(&[], filter("icmp"));
        assert_eq!(watch.stats().warnings, ["no network interface is up; waiting for one"]);
        watch.rest();
        net.ip("link set lo up");
        watch.until_said("lo: came up, watched since ");
        net.exec("ping -q -c 1 127.0.0.1");
        watch.until(|w| w.packets.len() == 2);
        net.ip("link set lo down");
        drop_privileges();
        let refused = LiveSource::open(&config(&[])).err().unwrap().to_string();
        assert!(refused.starts_with("not permitted; run as root"), "{refused}");
    });
}

#[test]
fn no_more_than_64_are_watched_and_room_is_used_again() {
    let Some(net) = Net::new() else { return };
    let add = |n| format!("link add m{n} type veth peer name n{n}");
    let up = |n| format!("link set m{n} up\nlink set n{n} up");
    let lines: Vec<String> = (0..33).map(add).chain((0..33).map(up)).collect();
    net.batch(&lines.join("\n"));
    net.enter(|| {
        let mut watch = Watch::new(&[], filter("icmp"));
        let ups = |w: &mut Watch| w.stats().states.iter().filter(|s| **s == Up).count();
        assert_eq!(ups(&mut watch), 64);
        let said = watch.until_said("n32: not watched, nor any that comes after it");
        assert!(said.ends_with("64 interfaces are watched"));
        net.ip("link del m3");
        watch.until_said("m32: came up, watched since ");
        wait_for(&mut watch, |w| ups(w) == 64);
    });
}

/// Interfaces without an address, down, or listed twice are fine.
#[test]
fn one_without_an_address_one_that_is_down_and_one_listed_twice() {
    let Some((a, b)) = pair() else { return };
    b.ip("addr add 10.9.0.12/24 dev right");
    b.ip("addr add 10.9.0.13/24 dev right label right:1");
    b.ip("link add bare type veth peer name barex");
    b.ip("link set bare up");
    b.ip("link set barex up");
    b.ip("link add off type bridge");
    b.enter(|| {
        let mut all = Watch::new(&[], filter("icmp"));
        let mut named = Watch::new(&["right", "off", "right", "bare"], filter("icmp"));
        a.exec("ping -q -c 1 10.9.0.12");
        send(&b, "barex", 1);
        for watch in [&mut all, &mut named] {
            watch.until(|w| w.packets.len() >= 3);
            watch.rest();
            assert_eq!(watch.packets.len(), 3);
        }
        assert_eq!(named.names, ["right", "off", "bare"]);
        assert_eq!(named.stats().states, [Up, Down, Up]);
        assert!(!all.names.contains(&"off".to_owned()));
    });
}

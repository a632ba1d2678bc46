//! Machines of the local network, through the whole engine: each fact once, and no nonsense.

use crate::capture::{Interface, SourceStats};
use crate::config::Config;
use crate::engine::Engine;
use crate::packet::{LinkType, Nanos, Packet};
use crate::tables::text::{Format, TextWriter};

const SECOND: Nanos = 1_000_000_000;
const COLUMNS: &[&str] = &["ip", "mac", "name", "source"];

/// The rows after these Ethernet frames, each with the second of its time.
fn told(frames: &[(i64, Vec<u8>)]) -> Vec<String> {
    let mut engine = Engine::new(Config::default());
    engine.interface(Interface { name: "net0".to_owned() });
    for (second, data) in frames {
        let (ts, wire_len) = (1 + second * SECOND, data.len() as u32);
        let packet = Packet { ts, iface: 0, link: LinkType::ETHERNET, wire_len, data };
        engine.packets(&[packet].into_iter().collect());
    }
    engine.finish(&SourceStats::default());
    let mut text = Vec::new();
    for batch in engine.drain(true).into_iter().filter(|batch| batch.table == "host") {
        let wanted: Vec<usize> =
            COLUMNS.iter().map(|name| batch.rows.schema().index_of(name).unwrap()).collect();
        let chosen = batch.rows.project(&wanted).unwrap();
        TextWriter::new(Format::Tsv, false).write(&chosen, &mut text).unwrap();
    }
    String::from_utf8(text).unwrap().lines().map(|line| line.replace('\t', "|")).collect()
}

fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&[2; 12], &kind.to_be_bytes()[..], payload].concat()
}

fn arp(mac: [u8; 6], ip: [u8; 4]) -> Vec<u8> {
    ethernet(0x0806, &[&[0, 1, 8, 0, 6, 4, 0, 2], &mac[..], &ip, &[0; 10]].concat())
}

fn mac(last: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, last]
}

fn ip4(src: [u8; 4], dst: [u8; 4], ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let (inner, outer) = (payload.len() as u16 + 8, payload.len() as u16 + 28);
    let [from, to] = ports.map(u16::to_be_bytes);
    let udp = [&from[..], &to, &inner.to_be_bytes(), &[0, 0], payload].concat();
    let head =
        [&[0x45, 0], &outer.to_be_bytes()[..], &[0; 4], &[255, 17, 0, 0], &src, &dst].concat();
    ethernet(0x0800, &[head, udp].concat())
}

/// An `ICMPv6` message from `fe80::1`.
fn icmp6(hops: u8, message: &[u8]) -> Vec<u8> {
    let address = |last| [[0xfe, 0x80].as_slice(), &[0; 13], &[last]].concat();
    let length = (message.len() as u16).to_be_bytes();
    let head = [&[0x60, 0, 0, 0], &length[..], &[58, hops], &address(1), &address(2)].concat();
    ethernet(0x86dd, &[head.as_slice(), message].concat())
}

#[test]
fn a_fact_is_told_once_in_ten_minutes() {
    let known = arp(mac(1), [192, 168, 7, 1]);
    let frames: Vec<_> = [0, 1, 599, 600, 601, 1300].map(|at| (at, known.clone())).to_vec();
    assert_eq!(told(&frames), ["192.168.7.1|02:00:00:00:00:01|-|arp"; 3]);
    assert_eq!(told(&frames[..3]).len(), 1);
}

#[test]
fn a_change_is_told_at_once_but_a_fight_once_a_second() {
    let frames: Vec<_> =
        (0..40_u8).map(|at| (i64::from(at / 10), arp(mac(at % 2 + 1), [10, 0, 0, 1]))).collect();
    let rows = told(&frames);
    assert_eq!(rows.len(), 4, "{rows:?}");
    let frames = [(0, arp(mac(1), [10, 0, 0, 1])), (5, arp(mac(2), [10, 0, 0, 1]))];
    assert_eq!(told(&frames)[1], "10.0.0.1|02:00:00:00:00:02|-|arp");
}

#[test]
fn what_is_no_machine_of_the_network_is_nothing() {
    let frames = [
        arp(mac(1), [0; 4]),                       // a probe
        arp(mac(1), [198, 51, 100, 1]),            // not local
        arp([0; 6], [10, 0, 0, 1]),                // no hardware address
        arp([0xff; 6], [10, 0, 0, 1]),             // everybody's
        arp([1, 0, 0x5e, 0, 0, 1], [10, 0, 0, 1]), // a group's
    ];
    assert!(told(&frames.map(|frame| (0, frame))).is_empty());
}

#[test]
fn there_is_a_bound_and_the_oldest_is_told_again() {
    let flood: Vec<_> = (0..40_000_u32)
        .map(|number| {
            let [_, b, c, d] = number.to_be_bytes();
            (1, arp(mac(9), [10, b, c, d]))
        })
        .collect();
    let first = (0, arp(mac(1), [192, 168, 7, 1]));
    let frames = [vec![first.clone()], flood, vec![(2, first.1)]].concat();
    assert_eq!(told(&frames).len(), 40_002);
}

#[test]
fn neighbours_are_found_by_all_messages_that_bear_an_address() {
    let (source, target) = ([1, 1, 2, 0, 0, 0, 0, 5], [2, 1, 2, 0, 0, 0, 0, 6]);
    let asked = [&[0xfe, 0x80][..], &[0; 13], &[9]].concat();
    let message = |kind: u8, body: &[u8], option: &[u8]| {
        icmp6(255, &[&[kind, 0, 0, 0, 0, 0, 0, 0], body, option].concat())
    };
    let nonce = [14, 1, 0, 0, 0, 0, 0, 0];
    let rows = told(&[
        (0, message(133, &[], &source)),
        (1000, message(134, &[0; 8], &source)),
        (2000, message(135, &asked, &[nonce, source].concat())),
        (3000, message(136, &asked, &target)),
    ]);
    let sender = "fe80::1|02:00:00:00:00:05|-|ndp";
    assert_eq!(rows, [sender, sender, sender, "fe80::9|02:00:00:00:00:06|-|ndp"]);
}

#[test]
fn neighbours_that_are_none_are_not_believed() {
    let asked = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let option = [1, 1, 2, 0, 0, 0, 0, 5];
    let good = [&[135, 0, 0, 0, 0, 0, 0, 0], &asked[..], &option].concat();
    assert_eq!(told(&[(0, icmp6(255, &good))]).len(), 1);
    // From beyond a router, with a code, with an option of no length, too long, or cut off.
    let mut bad = vec![icmp6(254, &good)];
    for (place, value) in [(1, 1), (25, 0), (25, 9), (24, 2)] {
        let mut broken = good.clone();
        broken[place] = value;
        bad.push(icmp6(255, &broken));
    }
    bad.extend((8..good.len()).map(|length| icmp6(255, &good[..length])));
    for frame in bad {
        assert!(told(&[(0, frame)]).is_empty());
    }
}

/// A DHCP message: operation, number, yiaddr, hardware address, options.
fn dhcp(operation: u8, number: u8, given: [u8; 4], hardware: [u8; 6], options: &[u8]) -> Vec<u8> {
    let mut message = vec![0; 240];
    message[..3].copy_from_slice(&[operation, 1, 6]);
    message[7] = number;
    message[16..20].copy_from_slice(&given);
    message[28..34].copy_from_slice(&hardware);
    message[236..240].copy_from_slice(b"\x63\x82\x53\x63");
    message.extend(options);
    message.push(255);
    message
}

fn asks(number: u8, hardware: [u8; 6], options: &[u8]) -> Vec<u8> {
    let said = dhcp(1, number, [0; 4], hardware, &[&[53, 1, 3], options].concat());
    ip4([0; 4], [255; 4], [68, 67], &said)
}

fn grants(number: u8, hardware: [u8; 6], options: &[u8]) -> Vec<u8> {
    let said = dhcp(2, number, [10, 0, 0, 7], hardware, &[&[53, 1, 5], options].concat());
    ip4([10, 0, 0, 1], [255; 4], [67, 68], &said)
}

#[test]
fn an_address_that_is_granted_gets_the_name_that_was_asked_with() {
    let tablet = b"\x0c\x06tablet";
    let rows = told(&[(0, asks(1, mac(1), tablet)), (1, grants(1, mac(1), b""))]);
    assert_eq!(rows, ["10.0.0.7|02:00:00:00:00:01|tablet|dhcp"]);
    // Another number, another client: only the address is known.
    for (number, hardware) in [(2, mac(1)), (1, mac(2))] {
        let rows = told(&[(0, asks(1, mac(1), tablet)), (1, grants(number, hardware, b""))]);
        assert!(rows[0].ends_with("|-|dhcp"), "{rows:?}");
    }
}

#[test]
fn what_was_agreed_counts_more_and_a_full_name_too() {
    let full = b"\x0c\x03tab\x51\x0b\x00\x00\x00tab.home";
    let wire = b"\x51\x0d\x05\x00\x00\x03tab\x04home\x00";
    for (asked, granted, name) in [
        (&full[..], &b""[..], "tab.home"),
        (wire, b"", "tab.home"),
        (full, b"\x0c\x07tab-two", "tab-two"),
        (b"", b"\x0c\x04tab\x00", "tab"),
        (b"\x0c\x089.8.7.65", b"", "-"),
        (b"\x0c\x03\x1b[m", b"", "\\\\x1b[m"),
    ] {
        let rows = told(&[(0, asks(1, mac(1), asked)), (1, grants(1, mac(1), granted))]);
        assert_eq!(rows, [format!("10.0.0.7|02:00:00:00:00:01|{name}|dhcp")]);
    }
}

#[test]
fn one_broken_message_makes_nobody_deaf() {
    let broken = asks(9, mac(9), &[12, 200, b'x']);
    let mut frames = vec![(0, broken); 20];
    frames.push((1, asks(1, mac(1), b"\x0c\x06tablet")));
    frames.push((1, grants(1, mac(1), b"")));
    assert_eq!(told(&frames), ["10.0.0.7|02:00:00:00:00:01|tablet|dhcp"]);
}

/// An mDNS answer: the name's labels, type, class, time to live, data.
fn answer(labels: &[&str], kind: u8, class: [u8; 2], ttl: u8, data: &[u8]) -> Vec<u8> {
    let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    for label in labels {
        message.push(label.len() as u8);
        message.extend(label.bytes());
    }
    message.extend([0, 0, kind, class[0], class[1], 0, 0, 0, ttl, 0, data.len() as u8]);
    message.extend(data);
    message
}

#[test]
fn multicast_answers_introduce_machines() {
    const GROUP: [u8; 4] = [224, 0, 0, 251];
    let local = ["Tablet", "local"];
    let (cache_flush, plain) = ([0x80, 1], [0, 1]);
    let six = [[0xfd].as_slice(), &[0; 14], &[5]].concat();
    let says = |src, dst, message: &[u8]| (0, ip4(src, dst, [5353, 5353], message));
    let me = [10, 0, 0, 5];
    let rows = told(&[
        says(me, GROUP, &answer(&local, 1, cache_flush, 120, &me)),
        says(me, GROUP, &answer(&local, 28, plain, 120, &six)),
        says([198, 51, 100, 1], GROUP, &answer(&["guest", "local"], 1, plain, 120, &[10, 0, 0, 6])),
    ]);
    let expected = [
        "10.0.0.5|-|Tablet.local|mdns",
        "fd00::5|-|Tablet.local|mdns",
        "10.0.0.6|-|guest.local|mdns",
    ];
    assert_eq!(rows, expected);
    let none = told(&[
        says(me, GROUP, &answer(&local, 1, plain, 0, &me)), // taken back
        says(me, GROUP, &answer(&["www", "example"], 1, plain, 120, &me)), // no name of this network
        says(me, GROUP, &answer(&local, 1, plain, 120, &[198, 51, 100, 7])), // no address of it
        says([198, 51, 100, 1], me, &answer(&local, 1, plain, 120, &me)),  // from elsewhere
    ]);
    assert!(none.is_empty(), "{none:?}");
}

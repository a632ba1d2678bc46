//! ICMP through the whole engine: pings, and errors with what they speak of.

use crate::capture::{Interface, SourceStats};
use crate::config::Config;
use crate::engine::Engine;
use crate::packet::{LinkType, Nanos, Packet};
use crate::tables::text::{Format, TextWriter};

const A: [u8; 4] = [192, 0, 2, 1];
const B: [u8; 4] = [198, 51, 100, 2];
const ROUTER: [u8; 4] = [192, 0, 2, 254];
const MS: Nanos = 1_000_000;

fn ip4(src: [u8; 4], dst: [u8; 4], proto: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 20).to_be_bytes();
    [&[0x45, 0], &length[..], &[0; 4], &[64, proto, 0, 0], &src, &dst, payload].concat()
}

fn ip6(src: u8, dst: u8, next: u8, payload: &[u8]) -> Vec<u8> {
    let address = |last| [[0x20, 1, 0xd, 0xb8].as_slice(), &[0; 11], &[last]].concat();
    let length = (payload.len() as u16).to_be_bytes();
    [&[0x60, 0, 0, 0], &length[..], &[next, 63], &address(src), &address(dst), payload].concat()
}

fn icmp(kind: u8, code: u8, id: u16, seq: u16, payload: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0], &id.to_be_bytes()[..], &seq.to_be_bytes(), payload].concat()
}

fn ping(seq: u16) -> Vec<u8> {
    ip4(A, B, 1, &icmp(8, 0, 7, seq, &[0; 56]))
}

fn pong(seq: u16) -> Vec<u8> {
    ip4(B, A, 1, &icmp(0, 0, 7, seq, &[0; 56]))
}

/// Port 1000 to 2000, all other fields 0 but for a length.
fn udp() -> Vec<u8> {
    [&1000_u16.to_be_bytes()[..], &2000_u16.to_be_bytes(), &[0, 12, 0, 0], b"data"].concat()
}

/// The rows of a table after these packets, each with its time in milliseconds.
fn told(packets: &[(Nanos, Vec<u8>)], table: &str, columns: &[&str]) -> Vec<String> {
    let mut engine = Engine::new(Config::default());
    engine.interface(Interface { name: "net0".to_owned() });
    for (ms, data) in packets {
        let (ts, wire_len) = (ms * MS + 1, data.len() as u32);
        let packet = Packet { ts, iface: 0, link: LinkType::RAW, wire_len, data };
        engine.packets(&[packet].into_iter().collect());
    }
    engine.finish(&SourceStats::default());
    let batches = engine.drain(true);
    let mut text = Vec::new();
    for batch in batches.into_iter().filter(|batch| batch.table == table) {
        let wanted: Vec<usize> =
            columns.iter().map(|name| batch.rows.schema().index_of(name).unwrap()).collect();
        let chosen = batch.rows.project(&wanted).unwrap();
        TextWriter::new(Format::Tsv, false).write(&chosen, &mut text).unwrap();
    }
    String::from_utf8(text).unwrap().lines().map(|line| line.replace('\t', "|")).collect()
}

const PING: &[&str] = &["src_ip", "kind", "echo_id", "echo_seq", "payload", "rtt", "answered"];
const ABOUT: &[&str] = &[
    "src_ip",
    "proto",
    "kind",
    "code_name",
    "about_proto",
    "about_src_ip",
    "about_src_port",
    "about_dst_ip",
    "about_dst_port",
];

#[test]
fn a_request_and_its_reply_are_one_row() {
    let packets = [(0, ping(1)), (5, ping(2)), (8, pong(1)), (9, pong(2))];
    assert_eq!(
        told(&packets, "icmp", PING),
        ["192.0.2.1|echo|7|1|56|0.008|true", "192.0.2.1|echo|7|2|56|0.004|true"]
    );
}

#[test]
fn icmp6_has_pings_too() {
    let packets = [
        (0, ip6(1, 2, 58, &icmp(128, 0, 7, 1, &[0; 8]))),
        (3, ip6(2, 1, 58, &icmp(129, 0, 7, 1, &[0; 8]))),
    ];
    assert_eq!(told(&packets, "icmp", PING), ["2001:db8::1|echo|7|1|8|0.003|true"]);
}

#[test]
fn what_is_not_answered_in_ten_seconds_is_a_row() {
    let packets = [(0, ping(1)), (5_000, ping(2)), (10_000, ping(3)), (10_001, pong(1))];
    assert_eq!(
        told(&packets, "icmp", PING),
        [
            "192.0.2.1|echo|7|1|56|-|false",
            "192.0.2.1|echo_reply|7|1|56|-|-",
            "192.0.2.1|echo|7|2|56|-|false",
            "192.0.2.1|echo|7|3|56|-|false",
        ]
    );
}

#[test]
fn a_reply_alone_and_a_second_one_are_rows_of_their_own() {
    let packets = [(0, pong(9)), (1, ping(1)), (2, pong(1)), (3, pong(1))];
    assert_eq!(
        told(&packets, "icmp", PING),
        [
            "192.0.2.1|echo_reply|7|9|56|-|-",
            "192.0.2.1|echo|7|1|56|0.001|true",
            "192.0.2.1|echo_reply|7|1|56|-|-",
        ]
    );
}

#[test]
fn so_many_requests_wait_and_no_more() {
    let packets: Vec<_> = (0..1100).map(|seq| (Nanos::from(seq), ping(seq))).collect();
    let mut all = packets.clone();
    all.push((1_100, pong(0)));
    let rows = told(&all, "icmp", PING);
    assert_eq!(rows.len(), 1101);
    assert_eq!(rows[75], "192.0.2.1|echo|7|75|56|-|false");
    assert_eq!(rows[76], "192.0.2.1|echo_reply|7|0|56|-|-");
}

#[test]
fn an_error_is_tied_to_its_connection() {
    let sent = ip4(A, B, 17, &udp());
    let error = ip4(ROUTER, A, 1, &icmp(3, 3, 0, 0, &sent));
    let packets = [(0, sent.clone()), (1, error.clone())];
    assert_eq!(
        told(&packets, "icmp", ABOUT),
        ["192.0.2.254|icmp|unreachable|port|udp|192.0.2.1|1000|198.51.100.2|2000"]
    );
    let uid = told(&packets, "conn", &["uid"]).remove(0);
    assert_eq!(told(&packets, "icmp", &["about_uid"]), [uid]);
    assert_eq!(told(&[(0, error)], "icmp", &["about_uid"]), ["-"]);
}

#[test]
fn an_error_may_speak_of_the_other_direction_and_of_pings() {
    let back = [&2000_u16.to_be_bytes()[..], &1000_u16.to_be_bytes(), &[0; 4]].concat();
    let packets = [
        (0, ip4(A, B, 17, &udp())),
        (1, ping(1)),
        (2, ip4(ROUTER, B, 1, &icmp(11, 0, 0, 0, &ip4(B, A, 17, &back)))),
        (3, ip4(ROUTER, A, 1, &icmp(11, 0, 0, 0, &ping(1)))),
    ];
    let known = told(&packets, "icmp", &["kind", "code_name", "about_src_port", "about_uid"]);
    let conn = told(&packets, "conn", &["uid"]);
    assert_eq!(known[0], format!("time_exceeded|hops|2000|{}", conn[0]));
    assert_eq!(known[1], format!("time_exceeded|hops|-|{}", conn[1]));
}

#[test]
fn icmp6_errors_quote_behind_extension_headers() {
    // A hop-by-hop header of 8 bytes, a fragment header of the first piece, then UDP.
    let headers = [&[44, 0, 1, 4, 0, 0, 0, 0][..], &[17, 0, 0, 1, 0, 0, 0, 5], &udp()].concat();
    let quoted = ip6(1, 2, 0, &headers);
    let packets = [
        (0, ip6(1, 2, 17, &udp())),
        (1, ip6(9, 1, 58, &icmp(2, 0, 0, 0, &quoted))),
        (2, ip6(9, 1, 58, &icmp(1, 4, 0, 0, &quoted[..44]))),
    ];
    assert_eq!(
        told(&packets, "icmp", ABOUT),
        [
            "2001:db8::9|icmp6|packet_too_big|-|udp|2001:db8::1|1000|2001:db8::2|2000",
            "2001:db8::9|icmp6|unreachable|port|ip-44|2001:db8::1|-|2001:db8::2|-",
        ]
    );
    let uid = told(&packets, "conn", &["uid"]).remove(0);
    assert_eq!(told(&packets, "icmp", &["about_uid"]), [uid.as_str(), "-"]);
}

#[test]
fn an_icmp6_redirect_quotes_in_an_option() {
    let quoted = ip6(1, 2, 17, &udp());
    let body =
        [&[0; 32][..], &[2, 1, 0, 0, 0, 0, 0, 0], &[4, 9, 0, 0, 0, 0, 0, 0], &quoted].concat();
    let packets = [(1, ip6(9, 1, 58, &icmp(137, 0, 0, 0, &body)))];
    assert_eq!(
        told(&packets, "icmp", ABOUT),
        ["2001:db8::9|icmp6|redirect|-|udp|2001:db8::1|1000|2001:db8::2|2000"]
    );
}

#[test]
fn errors_inside_a_tunnel_speak_of_what_is_inside() {
    let within = |packet: &[u8]| ip4(A, B, 4, packet);
    let sent = ip4([10, 0, 0, 1], [10, 0, 0, 2], 17, &udp());
    let error = ip4([10, 0, 0, 9], [10, 0, 0, 1], 1, &icmp(3, 1, 0, 0, &sent));
    let tunnelled = [(0, within(&sent)), (1, within(&error))];
    let uid = told(&tunnelled, "conn", &["uid"]).remove(1);
    assert_eq!(told(&tunnelled, "icmp", &["about_uid"]), [uid]);
    let mixed = [(0, within(&sent)), (1, error)];
    assert_eq!(told(&mixed, "icmp", &["about_uid"]), ["-"]);
}

#[test]
fn quotes_that_are_cut_or_none_are_not_about_anything() {
    let later_piece = {
        let mut packet = ip4(A, B, 17, &udp());
        packet[7] = 1;
        packet
    };
    let packets = [
        (0, ip4(ROUTER, A, 1, &icmp(3, 1, 0, 0, &later_piece))),
        (1, ip4(ROUTER, A, 1, &icmp(3, 1, 0, 0, &[0x45; 10]))),
        (2, ip4(ROUTER, A, 1, &icmp(3, 1, 0, 0, &[0xff; 40]))),
        (3, ip4(ROUTER, A, 1, &icmp(99, 1, 0, 0, &[0xff; 40]))),
        (4, ip4(ROUTER, A, 1, &icmp(3, 99, 0, 0, &[]))),
    ];
    assert_eq!(
        told(&packets, "icmp", ABOUT),
        [
            "192.0.2.254|icmp|unreachable|host|udp|192.0.2.1|-|198.51.100.2|-",
            "192.0.2.254|icmp|unreachable|host|-|-|-|-|-",
            "192.0.2.254|icmp|unreachable|host|-|-|-|-|-",
            "192.0.2.254|icmp|type99|-|-|-|-|-|-",
            "192.0.2.254|icmp|unreachable|-|-|-|-|-|-",
        ]
    );
}

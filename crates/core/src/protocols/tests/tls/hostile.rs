//! TLS that breaks rules, loses bytes, or is none.

use super::bytes::*;
use super::{TLS12, TLS13, conversation, row, say, tls12, tls13};
use crate::flow::Direction;
use crate::protocols::tests::rows;
use crate::protocols::{Conversation, Settings};
use crate::tables::Table;

fn violations(talk: &Conversation) -> Vec<String> {
    talk.violations().into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn impossible_records_end_the_parsing_and_keep_the_row() {
    let hello = client("www.example.org").record();
    for (wrong, kind) in [
        (vec![22, 3, 3, 0xff, 0xff], "tls record too long"),
        (b"HTTP/1.1 400".to_vec(), "tls record of unknown type"),
        (vec![22, 9, 3, 0, 1], "tls record of unknown type"),
        (record(22, &[1, 2, 0, 0]), "tls hello too long"),
        (record(22, &message(2, &[3, 3, 0])), "tls server hello malformed"),
    ] {
        let mut talk = conversation();
        talk.up(&hello).down(&wrong);
        assert_eq!(violations(&talk), [kind]);
        assert_eq!(row(&mut talk), ["www.example.org|-|-|-|-|-|false"]);
    }
}

#[test]
fn a_hello_that_contradicts_itself_is_counted_and_gives_no_row() {
    let whole = client("www.example.org").message();
    for at in 4..whole.len() {
        // Every length in it is one too many once, and so is what is cut short.
        let mut changed = whole.clone();
        changed[at] = changed[at].wrapping_add(1);
        let mut talk = conversation();
        talk.up(&record(22, &changed)).end();
        assert_eq!(talk.protocols.buffered(), 0);
        let mut talk = conversation();
        talk.up(&record(22, &message(1, &whole[4..at]))).end();
        if violations(&talk) != ["tls client hello malformed"] {
            assert_eq!(row(&mut talk).len(), 1, "without extensions");
        }
    }
}

#[test]
fn a_bad_certificate_is_counted_and_costs_nothing_else() {
    let [hello, _, finish, last] = tls12();
    let start = server(0x0303, &[9; 32], &[(16, protocols(&[b"h2"]))]);
    let mut damaged = certificate();
    damaged[20..40].fill(0xff);
    let long = certificates(&[&vec![0x30; 70_000]]);
    let chain: Vec<u8> = long[5..].chunks(16_000).flat_map(|piece| record(22, piece)).collect();
    for (chain, kind) in [
        (certificates(&[&damaged]), "tls certificate malformed"),
        (chain, "tls certificate too long"),
    ] {
        let mut talk = conversation();
        say(&mut talk, std::slice::from_ref(&hello));
        talk.down(&start).down(&chain).down(&done());
        say(&mut talk, &[finish.clone(), last.clone()]);
        assert_eq!(violations(&talk), [kind]);
        assert_eq!(row(&mut talk), [TLS12]);
    }
}

#[test]
fn a_clients_certificate_is_not_the_servers() {
    let [hello, _, finish, last] = tls12();
    let start = server(0x0303, &[9; 32], &[(16, protocols(&[b"h2"]))]);
    let mut talk = conversation();
    say(&mut talk, &[hello]);
    talk.down(&start).down(&done()).up(&certificates(&[&certificate()]));
    say(&mut talk, &[finish, last]);
    assert_eq!(rows(&mut talk.rows().tls, &["subject", "established"]), ["-|true"]);
}

#[test]
fn names_are_kept_as_they_were_sent() {
    let mut talk = conversation();
    let mut hello = client("");
    hello.extensions[1].1 = server_name(b"a\x1b[2J\xff.example");
    talk.up(&hello.record());
    assert_eq!(talk.name(), Some(("a\\x1b[2J\\xff.example".to_owned(), "sni")));
    talk.end();
    assert_eq!(rows(&mut talk.rows().tls, &["sni"]), ["a\\\\x1b[2J\\\\xff.example"]);
}

#[test]
fn lost_bytes_cost_what_they_held() {
    let [(_, hello), (_, reply), (_, finish)] = tls13();
    // In the hello: nothing is known.
    let mut talk = conversation();
    talk.up(&hello[..40]).say(Direction::Up, 60, &hello[100..]).down(&reply).end();
    assert_eq!(talk.rows().tls.len(), 0);
    // In the reply: only the hello is.
    let mut talk = conversation();
    talk.up(&hello).down(&reply[..20]).say(Direction::Down, 9, &reply[29..]);
    assert_eq!(row(&mut talk), ["www.example.org|-|-|-|-|-|false"]);
    // In what cannot be read anyway, up to its end or beyond: nothing is lost.
    for (from, to) in [(200, 300), (200, reply.len())] {
        let mut talk = conversation();
        talk.up(&hello).down(&reply[..from]);
        talk.say(Direction::Down, (to - from) as u64, &reply[to..]).down(&data(40)).up(&finish);
        assert_eq!(row(&mut talk), [TLS13]);
    }
    // Records that can no longer be found.
    let mut talk = conversation();
    talk.up(&hello).down(&reply).say(Direction::Down, 5000, b"in the middle of something");
    assert_eq!(row(&mut talk), [TLS13.replace("|true", "|false")]);
    assert!(talk.violations().is_empty());
}

#[test]
fn the_middle_of_a_connection_is_recognised_and_gives_no_row() {
    for (said, service) in [
        (data(300), Some("tls")),
        ([data(300), data(20)].concat(), Some("tls")),
        ([data(300), vec![23, 3, 3, 0]].concat(), None),
        (data(300)[..200].to_vec(), None),
        (vec![23, 3, 9, 0, 1, 0], None),
        (vec![23, 3, 3, 0, 0], None),
    ] {
        let mut talk = conversation();
        talk.say(Direction::Down, 77, &said).end();
        assert_eq!(talk.service(), service, "{said:?}");
        assert_eq!((talk.rows().tls.len(), talk.protocols.buffered()), (0, 0));
    }
}

#[test]
fn encrypted_records_begin_no_connection_however_they_are_cut() {
    let record = data(300);
    for size in [record.len(), 7, 1] {
        let mut talk = conversation();
        for piece in record.chunks(size) {
            talk.up(piece);
        }
        assert_eq!(talk.service(), None, "cut into {size}");
    }
}

#[test]
fn what_only_begins_like_tls_is_not() {
    for said in [
        &b"\x16\x03\x01\x00\x00\x01"[..],
        b"\x16\x03\x01\xff\xff\x01",
        b"\x16\x03\x07\x00\x10\x01",
        b"\x16\x03\x01\x00\x10\x0b",
        b"\x16\x02",
        b"\x80\x2e\x04",
        b"\x80\x1f\x01\x03\x01\x00\x05\x00\x00\x00\x10",
        b"\x17\x02",
    ] {
        let mut talk = conversation();
        talk.up(said).end();
        assert_eq!((talk.service(), talk.protocols.buffered()), (None, 0), "{said:?}");
    }
}

#[test]
fn half_hellos_stay_within_the_budget() {
    let settings = Settings { max_parser_buffers: 4096, ..Settings::default() };
    let mut talk = Conversation::stream(443, settings);
    let long = client(&"x".repeat(9000)).record();
    talk.up(&long[..2000]).up(&long[2000..4000]);
    assert!(talk.protocols.buffered() <= 4096);
    talk.up(&long[4000..]);
    assert_eq!(violations(&talk), ["parser buffers full"]);
    assert_eq!((talk.service(), talk.protocols.buffered()), (Some("tls"), 0));
}

#[test]
fn a_server_that_answers_in_ssl2_is_left_alone() {
    let mut hello = vec![0x80, 34, 1, 0, 2, 0, 9, 0, 0, 0, 16, 1, 0, 0x80, 3, 0, 0x80, 7, 0, 0xc0];
    hello.extend([9; 16]);
    let mut talk = conversation();
    talk.up(&hello).down(&[0x84, 0x21, 4, 0, 1, 0, 2]);
    assert!(talk.flow.deaf && talk.violations().is_empty());
    let columns = ["client_version", "client_ciphers", "version"];
    assert_eq!(rows(&mut talk.rows().tls, &columns), ["SSLv2|[]|-"]);
}

//! Questions and their replies.

use super::*;
use crate::flow::Flow;

/// What is sent to the group of multicast DNS, and answered there.
fn multicast(port: u16) -> Conversation {
    let mut talk = Conversation::datagrams(port, Settings::default());
    let (client, _) = talk.flow.ends();
    let group = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224, 0, 0, 251];
    talk.flow = Flow::between(client, (group, port), 17, talk.flow.first);
    talk
}

#[test]
fn a_question_and_its_reply_are_one_row() {
    let mut talk = datagrams();
    talk.up(&query(7, "www.Example.org", 1));
    talk.down(&reply(7, "www.example.org", 1, 0, &[&[192, 0, 2, 7], &[192, 0, 2, 8]]));
    assert_eq!(talk.service(), Some("dns"));
    assert_eq!(
        rows(&mut talk.rows().dns, COLUMNS),
        [r#"40000|www.Example.org|A|NOERROR|["192.0.2.7","192.0.2.8"]|[300,300]|0.001"#]
    );
    assert_eq!(talk.protocols.buffered(), 0);
}

#[test]
fn replies_are_told_apart_by_identifier_name_and_type() {
    let mut talk = datagrams();
    talk.up(&query(1, "a", 1)).up(&query(1, "a", 28)).up(&query(2, "b", 1));
    talk.down(&reply(2, "b", 1, 3, &[])).down(&reply(1, "A", 28, 2, &[]));
    talk.down(&reply(1, "a", 1, 5, &[]));
    let columns = ["query", "qtype", "rcode", "rtt"];
    assert_eq!(
        dns(&mut talk, &columns),
        ["b|A|NXDOMAIN|0.001", "a|AAAA|SERVFAIL|0.003", "a|A|REFUSED|0.005"]
    );
}

#[test]
fn a_question_asked_again_is_one_row_with_the_first_time() {
    let mut talk = datagrams();
    let reply = reply(1, "a", 1, 0, &[&[1, 1, 1, 1]]);
    talk.up(&query(1, "a", 1)).up(&query(1, "a", 1)).down(&reply).down(&reply).end();
    assert_eq!(dns(&mut talk, &["query", "rtt"]), ["a|0.002"]);
}

#[test]
fn a_further_reply_is_a_row_without_time() {
    let mut talk = datagrams();
    let reply = reply(1, "a", 1, 0, &[&[1, 1, 1, 1]]);
    talk.up(&query(1, "a", 1)).down(&reply).down(&reply).end();
    assert_eq!(dns(&mut talk, &["query", "rcode", "rtt"]), ["a|NOERROR|0.001", "a|NOERROR|-"]);
}

#[test]
fn what_is_not_answered_is_a_row_at_the_end() {
    let mut talk = datagrams();
    talk.up(&query(1, "a", 1));
    assert!(dns(&mut talk, COLUMNS).is_empty());
    talk.end();
    assert_eq!(dns(&mut talk, COLUMNS), ["40000|a|A|-|-|-|-"]);
}

#[test]
fn what_is_not_answered_waits_ten_seconds_of_packet_time() {
    let mut talk = datagrams();
    talk.pace(6_000_000_000);
    talk.up(&query(1, "a", 1)).up(&query(2, "b", 1));
    assert!(dns(&mut talk, COLUMNS).is_empty());
    talk.up(&query(3, "c", 1));
    assert_eq!(dns(&mut talk, &["query", "rcode"]), ["a|-"]);
    talk.down(&reply(1, "a", 1, 0, &[])).end();
    assert_eq!(dns(&mut talk, &["query", "rcode", "rtt"]), ["b|-|-", "a|NOERROR|-", "c|-|-"]);
}

#[test]
fn who_asks_is_told_by_the_message_not_by_the_port() {
    let mut talk = datagrams();
    talk.down(&query(1, "a", 1)).up(&reply(1, "a", 1, 0, &[]));
    let columns = ["src_ip", "src_port", "dst_ip", "rtt"];
    assert_eq!(dns(&mut talk, &columns), ["198.51.100.2|53|192.0.2.1|0.001"]);
    let mut talk = datagrams();
    talk.up(&reply(1, "a", 1, 0, &[]));
    assert_eq!(dns(&mut talk, &columns), ["198.51.100.2|53|192.0.2.1|-"]);
}

#[test]
fn flags_opcode_class_and_edns_are_told() {
    let mut talk = datagrams();
    // EDNS version 0, 1232 bytes, DO.
    let edns = [&[0, 0, 41][..], &1232_u16.to_be_bytes(), &[0, 0, 0x80, 0, 0, 0]].concat();
    let asked = [name("version.bind"), vec![0, 16, 0, 3]].concat();
    talk.up(&message(9, 0x2000, [1, 0, 0, 1], &[&asked, &edns]));
    // Extended response code 1, so 16 in all; AA, TC, RA.
    let edns = [&[0, 0, 41][..], &512_u16.to_be_bytes(), &[1, 0, 0, 0, 0, 0]].concat();
    talk.down(&message(9, 0xa680, [1, 0, 0, 1], &[&asked, &edns]));
    let columns = ["trans_id", "opcode", "qclass", "rcode", "edns_size", "dnssec_ok"];
    let flags = ["authoritative", "truncated", "recursion_desired", "recursion_available"];
    assert_eq!(
        dns(&mut talk, &[&columns[..], &flags].concat()),
        ["9|NOTIFY|CH|BADVERS|1232|true|true|true|false|true"]
    );
    assert_eq!(talk.service(), Some("dns"));
}

#[test]
fn numbers_without_name_keep_their_number() {
    let mut talk = datagrams();
    talk.up(&query(1, "a", 1));
    let odd = [name("b"), vec![0x10, 0, 0x10, 0]].concat();
    talk.up(&message(2, 0x1800, [1, 0, 0, 0], &[&odd])).down(&message(
        2,
        0x980f,
        [1, 0, 0, 0],
        &[&odd],
    ));
    assert_eq!(
        dns(&mut talk, &["opcode", "qtype", "qclass", "rcode"]),
        ["OPCODE3|TYPE4096|CLASS4096|RCODE15"]
    );
}

#[test]
fn names_keep_case_and_escape_what_is_no_separator() {
    let mut talk = datagrams();
    talk.up(&query(1, "", 2));
    let asked = [b"\x04a.b\\\x03\xc3\xa9\n\0".as_slice(), &[0, 1, 0, 1]].concat();
    talk.up(&message(2, 0, [1, 0, 0, 0], &[&asked])).end();
    assert_eq!(dns(&mut talk, &["query"]), [".", "a\\.b\\\\.\u{e9}\\x0a"]);
}

#[test]
fn several_questions_are_several_rows() {
    let mut talk = datagrams();
    let two = [question("a", 1), question("b", 28)].concat();
    let answers = record(&name("a"), 1, 5, &[1, 1, 1, 1]);
    talk.up(&message(1, 0, [2, 0, 0, 0], &[&two]));
    talk.down(&message(1, 0x8000, [2, 1, 0, 0], &[&two, &answers]));
    let columns = ["query", "qtype", "rcode", "answers", "rtt"];
    assert_eq!(
        dns(&mut talk, &columns),
        ["a|A|NOERROR|[\"1.1.1.1\"]|0.001", "b|AAAA|NOERROR|[]|0.001"]
    );
}

#[test]
fn a_reply_without_question_answers_its_identifier() {
    let mut talk = datagrams();
    talk.up(&query(1, "a", 1)).down(&message(1, 0x8001, [0; 4], &[]));
    assert_eq!(dns(&mut talk, &["query", "rcode", "rtt"]), ["a|FORMERR|0.001"]);
}

#[test]
fn multicast_is_not_waited_for() {
    let mut talk = multicast(5353);
    // Asks for an answer to itself alone: the upper bit of the class.
    let asked = [name("_ipp._tcp.local"), vec![0, 12, 0x80, 1]].concat();
    talk.up(&message(0, 0, [1, 0, 0, 0], &[&asked]));
    let told = record(&name("p.local"), 1, 120, &[192, 0, 2, 9]);
    talk.up(&message(0, 0x8400, [0, 1, 0, 0], &[&told]));
    assert_eq!(talk.service(), Some("mdns"));
    let columns = ["transport", "src_port", "query", "qtype", "qclass", "rcode", "answers"];
    assert_eq!(
        dns(&mut talk, &columns),
        ["mdns|40000|_ipp._tcp.local|PTR|IN|-|-", "mdns|40000|p.local|-|-|NOERROR|[\"192.0.2.9\"]"]
    );
}

#[test]
fn llmnr_is_told_by_its_port() {
    let mut talk = Conversation::datagrams(5355, Settings::default());
    talk.up(&query(1, "pc", 1)).down(&reply(1, "pc", 1, 0, &[&[192, 0, 2, 9]]));
    assert_eq!(talk.service(), Some("llmnr"));
    assert_eq!(dns(&mut talk, &["transport", "query", "rtt"]), ["llmnr|pc|0.001"]);
}

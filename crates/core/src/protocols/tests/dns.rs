//! DNS: what is asked and answered, in datagrams and streams, well made and not.

use super::rows;
use crate::protocols::{Conversation, Settings};

const COLUMNS: &[&str] = &["src_port", "query", "qtype", "rcode", "answers", "ttls", "rtt"];

/// A name on the wire.
fn name(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        wire.push(label.len() as u8);
        wire.extend(label.bytes());
    }
    wire.push(0);
    wire
}

fn message(id: u16, flags: u16, counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
    let numbers = [id, flags, counts[0], counts[1], counts[2], counts[3]];
    let mut wire: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    rest.iter().for_each(|part| wire.extend(*part));
    wire
}

fn question(asked: &str, qtype: u16) -> Vec<u8> {
    [name(asked), qtype.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

fn record(owner: &[u8], rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [owner, &rtype.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, data].concat()
}

fn query(id: u16, asked: &str, qtype: u16) -> Vec<u8> {
    message(id, 0x0100, [1, 0, 0, 0], &[&question(asked, qtype)])
}

/// A reply with the question, and records of its name.
fn reply(id: u16, asked: &str, qtype: u16, rcode: u16, data: &[&[u8]]) -> Vec<u8> {
    let answers: Vec<u8> =
        data.iter().flat_map(|data| record(&[0xc0, 12], qtype, 300, data)).collect();
    let counts = [1, data.len() as u16, 0, 0];
    message(id, 0x8180 | rcode, counts, &[&question(asked, qtype), &answers])
}

fn datagrams() -> Conversation {
    Conversation::datagrams(53, Settings::default())
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

//! DNS: what is asked and answered, in datagrams and streams, well made and not.

mod bad;
mod exchange;
mod rdata;
mod stream;

use super::rows;
use crate::flow::{Chunk, Direction, Observed};
use crate::protocols::{Conversation, Settings};

const COLUMNS: &[&str] = &["src_port", "query", "qtype", "rcode", "answers", "ttls", "rtt"];

/// A name on the wire.
pub(super) fn name(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        wire.push(label.len() as u8);
        wire.extend(label.bytes());
    }
    wire.push(0);
    wire
}

pub(super) fn message(id: u16, flags: u16, counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
    let numbers = [id, flags, counts[0], counts[1], counts[2], counts[3]];
    let mut wire: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    wire.extend(rest.concat());
    wire
}

pub(super) fn question(asked: &str, qtype: u16) -> Vec<u8> {
    [name(asked), qtype.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

pub(super) fn record(owner: &[u8], rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [owner, &rtype.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, data].concat()
}

pub(super) fn query(id: u16, asked: &str, qtype: u16) -> Vec<u8> {
    message(id, 0x0100, [1, 0, 0, 0], &[&question(asked, qtype)])
}

/// A reply with the question, and records of its name.
pub(super) fn reply(id: u16, asked: &str, qtype: u16, rcode: u16, data: &[&[u8]]) -> Vec<u8> {
    let answers: Vec<u8> =
        data.iter().flat_map(|data| record(&[0xc0, 12], qtype, 300, data)).collect();
    let counts = [1, data.len() as u16, 0, 0];
    message(id, 0x8180 | rcode, counts, &[&question(asked, qtype), &answers])
}

fn datagrams() -> Conversation {
    Conversation::datagrams(53, Settings::default())
}

/// What a pointer to the question's name looks like, in a message with a header before it.
const ASKED: &[u8] = &[0xc0, 12];

fn stream() -> Conversation {
    Conversation::stream(53, Settings::default())
}

/// A message with its length before it.
fn counted(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

fn dns(talk: &mut Conversation, columns: &[&str]) -> Vec<String> {
    // Without the backslashes that tab-separated values want.
    let rows = rows(&mut talk.rows().dns, columns);
    rows.into_iter().map(|row| row.replace("\\\\", "\\")).collect()
}

/// One end says this, and the capture has only its beginning.
fn cut(talk: &mut Conversation, direction: Direction, data: &[u8]) {
    let chunk = Chunk { direction, ts: talk.flow.first, gap: 0, data };
    let observed = Observed { sensor: "", interfaces: &[] };
    talk.protocols.datagram(&mut talk.flow, &chunk, true, observed);
}

//! Whether bytes are DNS: whatever else may come, a header and a first question that make sense.

use super::answer::owner;
use super::message::{HEADER, Header, Message, Question};
use super::name::Reader;
use super::types;
use crate::protocols::{First, Guess};

/// Bytes of a question: the root's name, type and class.
const QUESTION: usize = 5;

/// Bytes of a resource record of the root without data.
const RECORD: usize = 11;

/// More questions, or records of a section, than anybody sends in a datagram.
const MOST: u16 = 256;

/// Whether a datagram is a message.
pub(super) fn datagram(first: &First<'_>) -> Guess {
    message(first.data)
}

/// Whether a stream begins with a message's length, a header and a question. What follows them does not
/// count: it must not matter how much of it is there already.
pub(super) fn stream(first: &First<'_>) -> Guess {
    let Some((length, rest)) = first.data.split_first_chunk::<2>() else {
        return Guess::Maybe;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let message = rest.get(..length).unwrap_or(rest);
    if length < HEADER + QUESTION {
        return Guess::No;
    }
    let Ok(header) = Header::read(&mut Reader::new(message)) else {
        return if begins(message) { Guess::Maybe } else { Guess::No };
    };
    match question(message) {
        _ if !is_sane(header, length) || header.counts.first() != Some(&1) => Guess::No,
        Some((asked, end))
            if is_usual(&asked, header) && fits(header, length.saturating_sub(end)) =>
        {
            Guess::Yes
        }
        // A name in full has 255 bytes, and then it is one or none.
        None if message.len() < length.min(HEADER + 255 + 4) => Guess::Maybe,
        _ => Guess::No,
    }
}

/// Whether bytes are a message, the end of which may be cut off by the capture.
pub(super) fn message(bytes: &[u8]) -> Guess {
    let sane =
        Header::read(&mut Reader::new(bytes)).is_ok_and(|header| is_sane(header, bytes.len()));
    if !sane {
        return Guess::No;
    }
    let Ok(message) = Message::read(bytes) else {
        return Guess::No;
    };
    let asked = match message.questions.first() {
        Some(asked) => is_usual(asked, message.header),
        None => is_announcement(&message),
    };
    let short = message.fault.is_some_and(|fault| fault.0 == "dns message too short");
    let whole = message.fault.is_none() && message.left == 0;
    if asked && (whole || short && message.asked_whole) { Guess::Yes } else { Guess::No }
}

/// Whether the beginning of a header, without its end, may be one.
fn begins(header: &[u8]) -> bool {
    let byte = |at| header.get(at).copied().unwrap_or(0);
    let (high, low) = (byte(2), byte(3));
    let query = high & 0x80 == 0;
    types::is_usual_opcode(high >> 3 & 15)
        && low & 0x40 == 0
        // A query has no response code yet.
        && !(query && low & 15 != 0)
        // The stream's first message has one question.
        && byte(4) == 0
        && header.get(5).is_none_or(|questions| *questions == 1)
}

/// Whether a message of so many bytes may have this header.
fn is_sane(header: Header, length: usize) -> bool {
    let [questions, answers, authorities, others] = header.counts;
    let update = header.opcode() == 5;
    let records = usize::from(answers) + usize::from(authorities) + usize::from(others);
    let query = !header.is_reply();
    types::is_usual_opcode(header.opcode())
        && !header.reserved()
        && header.counts.iter().all(|count| *count <= MOST)
        && usize::from(questions) + records > 0
        && HEADER + usize::from(questions) * QUESTION <= length
        // Compressed and cut messages have their records counted all the same.
        && records <= length / RECORD + usize::from(MOST)
        && !(query && !update && (header.rcode() != 0 || questions == 0))
}

/// The first question and where it ends, if it is there.
fn question(message: &[u8]) -> Option<(Question, usize)> {
    let mut reader = Reader::within(message, HEADER, message.len());
    let question = Question::read(&mut reader).ok()?;
    Some((question, reader.at()))
}

/// Whether so many bytes behind the only question can be the records of the header.
fn fits(header: Header, rest: usize) -> bool {
    let records: usize = header.counts.iter().skip(1).map(|count| usize::from(*count)).sum();
    if records == 0 { rest == 0 } else { rest >= RECORD }
}

/// Whether somebody would ask this.
fn is_usual(asked: &Question, header: Header) -> bool {
    // The upper bit is multicast DNS's: it asks for an answer to itself alone (RFC 6762, section 5.4).
    let class = types::is_usual_class(asked.class & 0x7fff);
    let notable = header.opcode() != 0 || types::is_usual_type(asked.qtype);
    class && notable && !is_netbios(&asked.name, asked.qtype)
}

/// `NetBIOS` name service has DNS's form (RFC 1002, section 4.2): types 32 and 33, and a name of 32
/// letters from A to P.
fn is_netbios(name: &[u8], rtype: u16) -> bool {
    let label = name.get(..32).unwrap_or_default();
    matches!(rtype, 32 | 33)
        && name.get(32).is_none_or(|byte| *byte == b'.')
        && label.len() == 32
        && label.iter().all(|letter| (b'A'..=b'P').contains(letter))
}

/// Whether a message without question says something: a reply whose records are all usual.
fn is_announcement(message: &Message<'_>) -> bool {
    let usual = message.answers.iter().all(|record| {
        types::is_usual_type(record.rtype) && types::is_usual_class(record.class & 0x7fff)
    });
    let netbios = message.answers.first().is_none_or(|record| {
        owner(message, record).is_none_or(|name| is_netbios(&name, record.rtype))
    });
    message.header.is_reply() && usual && !netbios && message.fault.is_none()
}

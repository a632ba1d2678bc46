//! Whether a stream's first bytes are TLS.

use super::messages::{CLIENT_HELLO, SERVER_HELLO};
use super::record::{APPLICATION_DATA, HANDSHAKE, Record};
use super::sslv2;
use crate::protocols::{First, Guess};

pub(super) fn probe(first: &First<'_>) -> Guess {
    match first.data.first() {
        None => Guess::Maybe,
        Some(&HANDSHAKE) => hello(first.data),
        Some(&APPLICATION_DATA) if !first.begun => middle(first.data),
        Some(_) => sslv2::probe(first.data),
    }
}

/// A record that begins with a hello.
fn hello(data: &[u8]) -> Guess {
    if data.get(1).is_some_and(|major| *major != 3) || data.get(2).is_some_and(|minor| *minor > 4) {
        return Guess::No;
    }
    let Some((header, body)) = data.split_first_chunk() else {
        return Guess::Maybe;
    };
    match (Record::read(*header), body.first()) {
        (Ok(Record { length: 1.., .. }), Some(&(CLIENT_HELLO | SERVER_HELLO))) => Guess::Yes,
        (Ok(Record { length: 1.., .. }), None) => Guess::Maybe,
        _ => Guess::No,
    }
}

/// The middle of a connection: a whole record of application data, and after it another's header
/// or nothing.
fn middle(data: &[u8]) -> Guess {
    let Some((header, rest)) = data.split_first_chunk::<5>() else {
        return if [APPLICATION_DATA, 3].starts_with(data.get(..2).unwrap_or(data)) {
            Guess::Maybe
        } else {
            Guess::No
        };
    };
    let (Ok(record), [_, _, 1..=3, _, _]) = (Record::read(*header), header) else {
        return Guess::No;
    };
    let Some(after) = rest.get(usize::from(record.length)..) else {
        return Guess::No;
    };
    let next = after.first_chunk::<5>();
    let fits = next.is_some_and(|next| next[1..3] == header[1..3] && Record::read(*next).is_ok());
    if record.length > 0 && (after.is_empty() || fits) { Guess::Yes } else { Guess::No }
}

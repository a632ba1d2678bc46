//! HTTP/1: transactions, framing, lost bytes, secrets, hostile input.

mod bounds;
mod framing;
mod lost;
mod pairs;
mod said;
mod tunnels;

use super::rows;
use crate::flow::Direction;
use crate::protocols::{Conversation, Settings};

pub(super) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// What most tests look at.
const SHORT: &[&str] =
    &["trans_depth", "method", "uri", "status", "request_body", "response_body", "incomplete"];

fn conversation() -> Conversation {
    Conversation::stream(80, Settings::default())
}

/// Something said: from the client or not, after how many lost bytes, what.
type Said<'a> = (bool, u64, &'a [u8]);

/// The same conversation, cut into pieces of several sizes: the rows must always be the same.
fn play(said: &[Said<'_>], columns: &[&str]) -> Vec<String> {
    let one = |size: usize| {
        let mut talk = conversation();
        talk.pace(0);
        for (up, gap, data) in said {
            let direction = if *up { Direction::Up } else { Direction::Down };
            if *gap > 0 {
                talk.say(direction, *gap, &[]);
            }
            data.chunks(size).for_each(|data| {
                talk.say(direction, 0, data);
            });
        }
        talk.end();
        assert_eq!(talk.protocols.buffered(), 0);
        rows(&mut talk.rows().http, columns)
    };
    let whole = one(usize::MAX);
    for size in [1, 2, 3, 7, 50] {
        assert_eq!(one(size), whole, "in pieces of {size}");
    }
    whole
}

/// Without losses.
fn heard(said: &[(bool, &[u8])], columns: &[&str]) -> Vec<String> {
    let said: Vec<_> = said.iter().map(|(up, data)| (*up, 0, *data)).collect();
    play(&said, columns)
}

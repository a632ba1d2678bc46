//! SSH: both greetings, in pieces, and what is none.

use super::rows;
use crate::protocols::{Conversation, Settings};

const COLUMNS: &[&str] = &["src_port", "dst_port", "client", "server"];

fn conversation() -> Conversation {
    Conversation::stream(2222, Settings::default())
}

#[test]
fn both_sides_say_what_they_are() {
    let mut talk = conversation();
    talk.down(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").up(b"SSH-2.0-libssh_0.10\r\n\0\0\x01\x02");
    assert_eq!(talk.service(), Some("ssh"));
    assert_eq!(
        rows(&mut talk.rows().ssh, COLUMNS),
        ["40000|2222|SSH-2.0-libssh_0.10|SSH-2.0-OpenSSH_9.2p1 Debian-2"]
    );
    assert_eq!(talk.protocols.buffered(), 0);
}

#[test]
fn a_greeting_may_come_in_pieces_and_after_other_lines() {
    let mut talk = conversation();
    for piece in [&b"S"[..], b"SH-2", b".0-x", b"\n"] {
        talk.up(piece);
    }
    talk.down(b"Go away\r\nSSH-2.0-srv\r\n");
    assert_eq!(rows(&mut talk.rows().ssh, COLUMNS), ["40000|2222|SSH-2.0-x|SSH-2.0-srv"]);
}

#[test]
fn one_side_alone_is_a_row_at_the_end() {
    let mut talk = conversation();
    talk.down(b"SSH-2.0-srv\r\n").end();
    assert_eq!(rows(&mut talk.rows().ssh, COLUMNS), ["40000|2222|-|SSH-2.0-srv"]);
}

#[test]
fn a_line_without_end_is_a_violation_and_keeps_the_service() {
    let mut talk = conversation();
    talk.up(b"SSH-").up(&[b'x'; 5000]);
    assert_eq!(talk.violations(), [("ssh identification too long".to_owned(), 1)]);
    assert_eq!((talk.service(), talk.protocols.buffered()), (Some("ssh"), 0));
}

#[test]
fn a_letter_alone_is_nothing() {
    let mut talk = conversation();
    talk.up(b"S").down(b"hello").up(b"OS").end();
    assert_eq!((talk.service(), talk.protocols.buffered()), (None, 0));
}

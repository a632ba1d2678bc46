//! TLS inside other protocols: the agreement, and what only looks like it.

use crate::flow::Direction::{self, Down, Up};
use crate::protocols::{Conversation, Settings};

/// What is said, by whom.
type Said = &'static [(Direction, &'static [u8])];

/// Stands for a handshake: what is recognised anew after the agreement.
const HELLO: &[u8] = b"SSH-2.0-stands for TLS\r\n";

/// Agreements, line by line or packet by packet.
const AGREED: &[(&str, Said)] = &[
    (
        "smtp",
        &[
            (Down, b"220 mx.example.org ESMTP\r\n"),
            (Up, b"EHLO client\r\n"),
            (Down, b"250-mx.example.org\r\n250-SIZE 1000000000000000000000000000000000000\r\n"),
            (Down, b"250-STARTTLS\r\n250 HELP\r\n"),
            (Up, b"STARTTLS\r\n"),
            (Down, b"220 2.0.0 Ready to start TLS\r\n"),
        ],
    ),
    (
        "smtp",
        &[
            (Up, b"EHLO client\r\n"),
            (Down, b"250 ok\r\n"),
            (Up, b"MAIL FROM:<a@example.org>\r\n"),
            (Down, b"530 5.7.0 Must issue a STARTTLS command first\r\n"),
            (Up, b"starttls\r\n"),
            (Down, b"454 later\r\n"),
            (Up, b"Starttls\r\n"),
            (Down, b"220-go\r\n220 ahead\r\n"),
        ],
    ),
    (
        "imap",
        &[
            (Down, b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
            (Up, b"a0 ID (\"x\" {12}\r\na STARTTLS\r\n)\r\n"),
            (Down, b"* ID NIL\r\na0 OK - done\r\n"),
            (Up, b"a1 STARTTLS\r\n"),
            (Down, b"* BYE\r\na2 OK other\r\na1 OK Begin TLS negotiation now\r\n"),
        ],
    ),
    (
        "pop3",
        &[
            (Down, b"+OK POP3 ready\r\n"),
            (Up, b"CAPA\r\n"),
            (Down, b"+OK\r\nSTLS\r\n.\r\n"),
            (Up, b"STLS\r\n"),
            (Down, b"+OK Begin TLS negotiation\r\n"),
        ],
    ),
    (
        "ftp",
        &[
            (Down, b"220 (vsFTPd 3.0.3)\r\n"),
            (Up, b"AUTH GSSAPI\r\n"),
            (Down, b"530 Please login\r\n"),
            (Up, b"AUTH TLS\r\n"),
            (Down, b"234 Proceed with negotiation.\r\n"),
        ],
    ),
    ("postgresql", &[(Up, b"\0\0\0\x08\x04\xd2\x16\x2f"), (Down, b"S")]),
    (
        "postgresql",
        &[
            (Up, b"\0\0\0\x08\x04\xd2\x16\x30"),
            (Down, b"N"),
            (Up, b"\0\0\0\x08\x04\xd2\x16\x2f"),
            (Down, b"S"),
        ],
    ),
    (
        "mysql",
        &[
            (Down, b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf"),
            (Up, b"\x20\0\0\x01\x85\xae\xff\x19\0\0\0\x01\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        ],
    ),
    (
        "rdp",
        &[
            (Up, b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x0b\0\0\0"),
            (Down, b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0"),
        ],
    ),
];

/// Conversations in which no TLS begins.
const NEVER: &[(&str, Said)] = &[
    (
        "smtp",
        &[
            (Up, b"EHLO x\r\n"),
            (Up, b"STARTTLS\r\n"),
            (Down, b"250 hello\r\n"),
            (Down, b"502 no\r\n"),
        ],
    ),
    (
        "smtp",
        &[
            (Up, b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
            (Down, b"250 hello\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
            (Up, b"STARTTLS\r\n.\r\n"),
            (Down, b"220 not what it seems\r\n"),
        ],
    ),
    (
        "imap",
        &[
            (Down, b"* OK IMAP4\r\n"),
            (Up, b"a LOGIN {11}\r\na STARTTLS\r\n {3}\r\nxyz\r\n"),
            (Down, b"a OK logged in\r\n"),
        ],
    ),
    ("imap", &[(Down, b"* OK IMAP4\r\n"), (Up, b"a STARTTLS\r\n"), (Down, b"a BAD\r\nb OK\r\n")]),
    (
        "pop3",
        &[
            (Down, b"+OK POP3\r\n"),
            (Up, b"STLS\r\n"),
            (Down, b"-ERR no\r\n"),
            (Up, b"NOOP\r\n"),
            (Down, b"+OK\r\n"),
        ],
    ),
    ("ftp", &[(Down, b"220 FTP\r\n"), (Up, b"AUTH TLS\r\n"), (Down, b"502 no\r\n234 odd\r\n")]),
    (
        "postgresql",
        &[(Up, b"\0\0\0\x08\x04\xd2\x16\x2f"), (Down, b"N"), (Up, b"\0\0\0\x21\0\x03\0\0user\0")],
    ),
    (
        "mysql",
        &[
            (Down, b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0"),
            (Up, b"\x20\0\0\x01\x85\xa6\xff\x19"),
        ],
    ),
    (
        "rdp",
        &[
            (Up, b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x0b\0\0\0"),
            (Down, b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\0\x08\0\0\0\0\0"),
        ],
    ),
];

fn played(said: &[(Direction, &[u8])], size: usize) -> Conversation {
    let mut talk = Conversation::stream(9, Settings::default());
    for (way, said) in said {
        for piece in said.chunks(size) {
            talk.say(*way, 0, piece);
        }
    }
    talk
}

/// Whether what is said now is recognised anew: as many rows as of SSH.
fn is_heard_anew(talk: &mut Conversation) -> bool {
    use crate::tables::Table;
    talk.up(HELLO).end();
    talk.rows().ssh.finish().rows.num_rows() == 1
}

#[test]
fn after_an_agreement_the_stream_is_recognised_anew_and_keeps_its_name() {
    for (service, said) in AGREED {
        for size in [usize::MAX, 1, 5] {
            let mut talk = played(said, size);
            assert!(is_heard_anew(&mut talk), "{service} in pieces of {size}");
            assert_eq!(talk.service(), Some(*service));
            assert_eq!(talk.protocols.buffered(), 0);
        }
    }
}

#[test]
fn before_the_last_word_nothing_is_agreed() {
    for (service, said) in AGREED {
        let (_, before) = said.split_last().unwrap();
        assert!(!is_heard_anew(&mut played(before, usize::MAX)), "{service}");
    }
}

#[test]
fn what_only_looks_like_an_agreement_is_none() {
    for (service, said) in NEVER {
        for size in [usize::MAX, 1] {
            let mut talk = played(said, size);
            assert_eq!(talk.service(), Some(*service));
            assert!(!is_heard_anew(&mut talk), "{service} in pieces of {size}: {said:?}");
        }
    }
}

#[test]
fn a_handshake_in_the_same_chunk_is_heard() {
    let mut talk = Conversation::stream(9, Settings::default());
    talk.down(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0");
    let mut login = b"\x20\0\0\x01\x85\xae\xff\x19".to_vec();
    login.resize(36, 0);
    talk.up(&[&login, HELLO].concat()).up(b"more").end();
    assert_eq!(
        (super::rows(&mut talk.rows().ssh, &["client"]).len(), talk.service()),
        (1, Some("mysql"))
    );
}

#[test]
fn a_handshake_whose_permission_was_lost_is_heard() {
    let hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";
    let is_tls = |before: &[u8], size: usize| {
        let mut talk = played(&[(Up, b"EHLO x\r\n"), (Up, b"STARTTLS\r\n"), (Up, before)], size);
        // TLS refuses what it is given here, lines do not.
        hello.chunks(size).for_each(|piece| {
            talk.up(piece);
        });
        talk.end();
        assert_eq!(talk.service(), Some("smtp"));
        !talk.violations().is_empty() || !super::rows(&mut talk.rows().tls, &["uid"]).is_empty()
    };
    for size in [usize::MAX, 1] {
        assert!(is_tls(b"", size));
        assert!(!is_tls(b"x", size));
    }
}

#[test]
fn lines_with_missing_bytes_tell_nothing() {
    let mut talk = played(&[(Up, b"EHLO x\r\n"), (Up, b"STARTTLS\r\n")], usize::MAX);
    talk.say(Down, 10, b"220 go\r\n");
    assert!(!is_heard_anew(&mut talk));
}

#[test]
fn a_long_talk_is_left_alone_after_a_while() {
    let mut talk = played(&[(Up, b"EHLO x\r\n")], usize::MAX);
    talk.say(Up, 0, &[b'x'; 10_000]);
    assert!(!talk.flow.deaf);
    talk.say(Down, 0, &vec![b'x'; 100_000]);
    assert!(talk.flow.deaf);
}

//! Hostile input: bounds hold, and breaking the rules ends the parsing of that connection.

use super::{GET, OK, SHORT, conversation, rows};

/// What is counted when this is said; nothing may stay in memory.
fn violation(up: &[u8], down: &[u8]) -> String {
    let mut talk = conversation();
    up.chunks(1400).for_each(|data| {
        talk.up(data);
    });
    down.chunks(1400).for_each(|data| {
        talk.down(data);
    });
    talk.end();
    assert_eq!(talk.protocols.buffered(), 0);
    let kinds = talk.violations();
    kinds.first().map(|(kind, _)| kind.clone()).unwrap_or_default()
}

#[test]
fn heads_may_be_large_but_not_endless() {
    let large = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(60_000));
    assert_eq!(violation(large.as_bytes(), OK), "");
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(70_000));
    assert_eq!(violation(endless.as_bytes(), b""), "http header too long");
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
    assert_eq!(violation(GET, endless.as_bytes()), "http header too long");
    let endless = format!("GET /{}", "x".repeat(70_000));
    assert_eq!(violation(endless.as_bytes(), b""), "http header too long");
}

#[test]
fn unclear_framing_is_refused() {
    let cases: [(&[u8], &str); 9] = [
        (b"Content-Length: 1\r\nContent-Length: 2\r\n", "http content length unclear"),
        (b"Content-Length: 99999999999999999999\r\n", "http content length unclear"),
        (b"Content-Length: +1\r\n", "http content length unclear"),
        (b"Content-Length: \r\n", "http content length unclear"),
        (b"Transfer-Encoding: chunked\r\n\r\nx", "http chunk malformed"),
        (b"Transfer-Encoding: chunked\r\n\r\n10000000000000000", "http chunk too large"),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\nab", "http chunk malformed"),
        (b"Transfer-Encoding: chunked\r\n\r\n;\r\n", "http chunk malformed"),
        (b"Transfer-Encoding: gzip\r\n\r\n", ""),
    ];
    for (headers, kind) in cases {
        let head = [b"HTTP/1.1 200 OK\r\n", headers, b"\r\n"].concat();
        assert_eq!(
            violation(GET, &head),
            if kind.is_empty() { String::new() } else { kind.to_owned() }
        );
    }
    let request = b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n";
    assert_eq!(violation(request, b""), "http transfer coding unknown");
}

#[test]
fn chunk_extensions_and_trailers_end() {
    let begin = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let extension = format!("{begin}1;{}", "x".repeat(70_000));
    assert_eq!(violation(GET, extension.as_bytes()), "http chunk header too long");
    let zeros = format!("{begin}{}", "0".repeat(70_000));
    assert_eq!(violation(GET, zeros.as_bytes()), "http chunk header too long");
    let trailer = format!("{begin}0\r\n{}", "X: y\r\n".repeat(12_000));
    assert_eq!(violation(GET, trailer.as_bytes()), "http trailer too long");
}

#[test]
fn what_is_no_message_ends_it_and_keeps_what_was() {
    for (up, down, kind) in [
        (&[GET, b"\x16\x03\x01"].concat()[..], &b""[..], "not an http request"),
        (&[GET, b"GET /\r\n"].concat(), b"", "not an http request"),
        (GET, b"<html>", "not an http reply"),
        (GET, b"HTTP/2 200 OK\r\n", "not an http reply"),
        (GET, b"HTTP/1.1 OK\r\n", "not an http reply"),
    ] {
        let mut talk = conversation();
        talk.up(up).down(down).down(OK);
        assert_eq!(talk.violations(), [(kind.to_owned(), 1)]);
        assert_eq!(rows(&mut talk.rows().http, SHORT), ["1|GET|/|-|0|-|unfinished"]);
    }
}

#[test]
fn requests_that_wait_have_a_bound() {
    let mut talk = conversation();
    for _ in 0..1001 {
        talk.up(GET);
    }
    assert_eq!(talk.violations(), [("http pipeline too long".to_owned(), 1)]);
    assert_eq!(rows(&mut talk.rows().http, SHORT).len(), 1000);
    assert_eq!(talk.protocols.buffered(), 0);
}

#[test]
fn an_idle_connection_holds_nothing() {
    let mut talk = conversation();
    talk.up(GET).down(&OK[..20]).down(&OK[20..]);
    assert_eq!(talk.protocols.buffered(), 0);
}

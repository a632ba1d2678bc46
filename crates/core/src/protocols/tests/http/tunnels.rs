//! What is no longer HTTP.

use super::{GET, OK, SHORT, conversation, heard, rows};

const CONNECT: &[u8] = b"CONNECT www.example.org:443 HTTP/1.1\r\nHost: www.example.org:443\r\n\r\n";

#[test]
fn behind_connect_something_else_begins() {
    let columns = ["method", "host", "uri", "section", "status", "response_body"];
    let mut talk = conversation();
    talk.up(CONNECT).down(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
    assert_eq!(talk.name(), Some(("www.example.org".to_owned(), "http")));
    assert_eq!(
        rows(&mut talk.rows().http, &columns),
        ["CONNECT|www.example.org:443|www.example.org:443|-|200|0"]
    );
    talk.up(b"SSH-2.0-a\r\n").down(b"SSH-2.0-b\r\n");
    assert_eq!(rows(&mut talk.rows().ssh, &["client", "server"]), ["SSH-2.0-a|SSH-2.0-b"]);
}

#[test]
fn a_refused_connect_is_a_request_like_others() {
    let refused = b"HTTP/1.1 407 Who\r\nContent-Length: 3\r\n\r\nwho";
    assert_eq!(
        heard(&[(true, CONNECT), (false, refused), (true, GET), (false, OK)], SHORT),
        ["1|CONNECT|www.example.org:443|407|0|3|-", "2|GET|/|200|0|2|-"]
    );
}

#[test]
fn an_upgrade_ends_http() {
    for (upgrade, service) in [("WebSocket", "websocket"), ("h2c", "http")] {
        let mut talk = conversation();
        talk.up(format!("GET /chat HTTP/1.1\r\nUpgrade: {upgrade}\r\n\r\n").as_bytes());
        let reply = format!("HTTP/1.1 101 Switching\r\nUpgrade: {upgrade}\r\n\r\n\x02\x7f");
        talk.down(reply.as_bytes()).up(b"\x01\x02\x03");
        assert_eq!(
            rows(&mut talk.rows().http, &["status", "upgrade", "incomplete"]),
            [format!("101|{upgrade}|-")]
        );
        assert_eq!((talk.service(), talk.flow.deaf), (Some(service), true));
    }
}

#[test]
fn http2_is_named() {
    let mut talk = conversation();
    talk.up(b"PRI * HTT").up(b"P/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!((talk.service(), talk.flow.deaf), (Some("http2"), true));
}

//! What rows say of heads: texts, names, and secrets left out.

use super::{OK, conversation, heard, rows};
use crate::protocols::{Conversation, Settings};

const REQUEST: &[u8] = b"GET http://user:pa%40ss@www.example.org:8080/a/b?key=1 HTTP/1.0\r\n\
    Host: other\r\nReferer: http://me:secret@x/?q=2\r\nAuthorization: Basic dTpw\r\nCookie: id=1\r\n\
    Content-Type: text/x\r\nUser-Agent: t\r\n\r\n";
const SECRETS: &[&str] = &["uri", "referrer", "auth", "cookie", "section", "host", "version"];

fn told(settings: Settings) -> Vec<String> {
    let mut talk = Conversation::stream(80, settings);
    talk.up(REQUEST).end();
    rows(&mut talk.rows().http, SECRETS)
}

#[test]
fn secrets_are_left_out() {
    let row = "http://user:[redacted]@www.example.org:8080/a/b?key=1|http://me:[redacted]@x/?q=2|\
               Basic [redacted]|[redacted]|/a|www.example.org:8080|1.0";
    assert_eq!(told(Settings::default()), [row]);
    let settings = Settings { redact_query: true, ..Settings::default() };
    let row = "http://user:[redacted]@www.example.org:8080/a/b?[redacted]|http://me:[redacted]@x/?[redacted]|\
               Basic [redacted]|[redacted]|/a|www.example.org:8080|1.0";
    assert_eq!(told(settings), [row]);
    let settings = Settings { keep_credentials: true, ..Settings::default() };
    let row = "http://user:pa%40ss@www.example.org:8080/a/b?key=1|http://me:secret@x/?q=2|\
               Basic dTpw|id=1|/a|www.example.org:8080|1.0";
    assert_eq!(told(settings), [row]);
}

#[test]
fn a_fragment_is_left_out_with_the_query() {
    let reply = b"HTTP/1.1 302 x\r\nLocation: https://a/b#token=1?c\r\nContent-Length: 0\r\n\r\n";
    let settings = Settings { redact_query: true, ..Settings::default() };
    let mut talk = Conversation::stream(80, settings);
    talk.up(super::GET).down(reply).end();
    assert_eq!(rows(&mut talk.rows().http, &["uri", "location"]), ["/|https://a/b#[redacted]"]);
}

#[test]
fn a_token_without_scheme_is_left_out_whole() {
    let request = b"GET / HTTP/1.1\r\nProxy-Authorization: token\r\n\r\n";
    assert_eq!(heard(&[(true, request)], &["auth"]), ["[redacted]"]);
}

#[test]
fn texts_are_kept() {
    let reply =
        b"HTTP/1.1 302 Found it\r\nServer: s\r\nLocation: http://u:p@x/\r\nContent-Type: a/b\r\n\
        content-length: 0\r\n\r\n";
    let columns =
        ["reason", "server", "location", "content_type", "request_content_type", "user_agent"];
    assert_eq!(
        heard(&[(true, REQUEST), (false, reply)], &columns),
        ["Found it|s|http://u:[redacted]@x/|a/b|text/x|t"]
    );
}

#[test]
fn sections_are_first_path_elements() {
    let cases = [
        ("/", "/"),
        ("/a", "/a"),
        ("/a?b/c", "/a"),
        ("/?b", "/"),
        ("//a", "/"),
        ("http://h", "/"),
        ("http://h?x", "/"),
        ("http://h/a/", "/a"),
        ("/a/http://b/c", "/a"),
    ];
    for (target, section) in cases {
        let request = format!("GET {target} HTTP/1.1\r\n\r\n");
        assert_eq!(heard(&[(true, request.as_bytes())], &["section"]), [section], "{target}");
    }
    assert_eq!(heard(&[(true, b"OPTIONS * HTTP/1.1\r\n\r\n")], &["section"]), ["-"]);
}

#[test]
fn the_first_host_names_the_connection() {
    let cases = [
        ("www.example.org:8080", Some("www.example.org")),
        ("www.example.org", Some("www.example.org")),
        ("192.0.2.1:80", None),
        ("[2001:db8::1]:80", None),
        ("", None),
    ];
    for (host, name) in cases {
        let mut talk = conversation();
        talk.up(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).down(OK);
        talk.up(b"GET / HTTP/1.1\r\nHost: later\r\n\r\n").down(OK).end();
        assert_eq!(talk.name().map(|(name, _)| name).as_deref(), name);
    }
}

#[test]
fn any_method_will_do_once_it_is_http() {
    for method in ["PROPFIND", "M-SEARCH", "RPC_IN_DATA"] {
        let mut talk = conversation();
        talk.up(format!("{method} /x HTTP/1.1\r\n\r\n").as_bytes()).down(OK);
        talk.up(b"FROBNICATE /a b HTTP/1.1\r\n\r\n").down(OK);
        assert_eq!(
            rows(&mut talk.rows().http, &["method", "uri"]),
            [format!("{method}|/x"), "FROBNICATE|/a b".to_owned()]
        );
    }
}

#[test]
fn other_protocols_are_not_mistaken() {
    for line in [
        &b"OPTIONS sip:bob@example.org SIP/2.0\r\n"[..],
        b"OPTIONS rtsp://example.org/a RTSP/1.0\r\n",
        b"GET key\r\n",
        b"GETS /\r\n",
        b"USER x\r\n",
    ] {
        let mut talk = conversation();
        talk.up(line).end();
        assert_ne!(talk.service(), Some("http"));
    }
}

#[test]
fn passwords_are_found_wherever_a_host_stands() {
    let request = b"CONNECT u:sesame@b.example:443 HTTP/1.1\r\nHost: u:sesame@b.example\r\n\
        Referer: //u:sesame@b.example/x\r\nAuthorization: sesame, foo\r\n\r\n";
    assert_eq!(
        heard(&[(true, request)], &["uri", "host", "referrer", "auth"]),
        ["u:[redacted]@b.example:443|b.example:443|//u:[redacted]@b.example/x|[redacted]"]
    );
    let request = b"GET https://token@b.example/x HTTP/1.1\r\nHost: u:sesame@b.example\r\n\r\n";
    assert_eq!(
        heard(&[(true, request)], &["uri", "host"]),
        ["https://[redacted]@b.example/x|b.example"]
    );
    let request = b"GET /a@b HTTP/1.1\r\nHost: u:sesame@b.example\r\n\r\n";
    assert_eq!(heard(&[(true, request)], &["uri", "host"]), ["/a@b|u:[redacted]@b.example"]);
}

//! Which reply belongs to which request.

use super::{GET, OK, SHORT, conversation, heard, rows};
use crate::protocols::Conversation;

#[test]
fn pipelined_replies_come_in_order() {
    let requests: Vec<u8> =
        (1..=3).flat_map(|n| format!("GET /{n} HTTP/1.1\r\n\r\n").into_bytes()).collect();
    let replies = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\n.";
    assert_eq!(
        heard(&[(true, &requests), (false, replies)], SHORT),
        ["1|GET|/1|200|0|0|-", "2|GET|/2|404|0|1|-", "3|GET|/3|-|0|-|no reply"]
    );
}

#[test]
fn an_interim_reply_is_no_reply() {
    let columns = ["status", "interim_status", "request_body", "incomplete"];
    let said: [(bool, &[u8]); 4] = [
        (true, b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
        (false, b"HTTP/1.1 100 Continue\r\n\r\n"),
        (true, b"abc"),
        (false, OK),
    ];
    assert_eq!(heard(&said, &columns), ["200|100|3|-"]);
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    assert_eq!(heard(&[(true, GET), (false, hints)], &columns), ["-|103|0|no reply"]);
}

#[test]
fn a_reply_may_come_before_the_request_is_whole() {
    let said: [(bool, &[u8]); 5] = [
        (true, b"POST /big HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc"),
        (false, b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n"),
        (false, b"no"),
        (true, b"def"),
        (true, GET),
    ];
    assert_eq!(heard(&said, SHORT), ["1|POST|/big|413|6|2|-", "2|GET|/|-|0|-|no reply"]);
    assert_eq!(heard(&said[..3], SHORT), ["1|POST|/big|413|3|2|unfinished"]);
    let timeout: [(bool, &[u8]); 2] =
        [(true, b"GET /slow HTTP/1.1\r\nHo"), (false, b"HTTP/1.1 408 Timeout\r\n\r\n")];
    assert_eq!(heard(&timeout, SHORT), ["1|GET|/slow|408|0|0|unfinished"]);
}

#[test]
fn times_are_the_requests_end_and_the_replys_ends() {
    let mut talk: Conversation = conversation();
    talk.up(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na").up(b"b");
    talk.down(b"HTTP/1.1 2").down(b"00 OK\r\nContent-Length: 2\r\n\r\na").down(b"b");
    talk.up(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n").down(OK).up(b"c");
    let found = rows(&mut talk.rows().http, &["ts", "latency", "duration"]);
    assert_eq!(
        found,
        ["1970-01-01T00:00:01.001000000Z|0.001|0.004", "1970-01-01T00:00:01.006000000Z|0.0|0.001"]
    );
}

#[test]
fn a_reply_alone_has_no_request() {
    let columns =
        ["src_port", "dst_port", "method", "version", "status", "response_body", "incomplete"];
    let mut talk = conversation();
    talk.down(OK).up(GET).down(OK);
    assert_eq!(talk.service(), Some("http"));
    assert_eq!(
        rows(&mut talk.rows().http, &columns),
        ["40000|80|-|1.1|200|2|no request", "40000|80|GET|1.1|200|2|-"]
    );
}

#[test]
fn the_client_is_who_asks() {
    let columns = ["src_ip", "src_port", "dst_port", "method", "status"];
    let mut talk = conversation();
    talk.down(GET).up(OK);
    assert_eq!(rows(&mut talk.rows().http, &columns), ["198.51.100.2|80|40000|GET|200"]);
}

#[test]
fn a_second_reply_to_one_request_has_none() {
    let replies = [OK, OK].concat();
    assert_eq!(
        heard(&[(true, GET), (false, &replies)], SHORT),
        ["1|GET|/|200|0|2|-", "2|-|-|200|0|2|no request"]
    );
}

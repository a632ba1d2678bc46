//! Where bodies end.

use super::{SHORT, heard};

fn one(request: &[u8], reply: &[u8]) -> Vec<String> {
    heard(&[(true, request), (false, reply)], SHORT)
}

#[test]
fn a_length_frames_both_bodies() {
    assert_eq!(
        one(
            b"POST /f HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            b"HTTP/1.1 201 Created\r\ncontent-length : 3, 3\r\n\r\nabc"
        ),
        ["1|POST|/f|201|5|3|-"]
    );
}

#[test]
fn chunks_are_counted_without_their_framing() {
    let reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 9\r\n\r\n\
        5;name=\"value\"\r\nhello\r\n00a \r\n0123456789\r\n0;last\r\nTrailer: yes\r\nX: y\r\n\r\n";
    let two =
        [&reply[..], b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n"].concat();
    let requests = b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
    assert_eq!(one(requests, &two), ["1|GET|/1|200|0|15|-", "2|GET|/2|404|0|3|-"]);
}

#[test]
fn what_came_before_broken_framing_is_counted() {
    let reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz";
    assert_eq!(one(super::GET, reply), ["1|GET|/|200|0|3|unfinished"]);
}

#[test]
fn a_request_may_be_chunked() {
    let request = b"PUT /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(one(request, b"HTTP/1.1 204 No Content\r\n\r\n"), ["1|PUT|/x|204|3|0|-"]);
}

#[test]
fn some_replies_have_no_body_whatever_they_say() {
    let requests = b"HEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\nGET /4 HTTP/1.1\r\n\r\n";
    let replies = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\
        HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n.";
    assert_eq!(
        one(requests, replies),
        ["1|HEAD|/1|200|0|0|-", "2|GET|/2|204|0|0|-", "3|GET|/3|304|0|0|-", "4|GET|/4|200|0|1|-"]
    );
}

#[test]
fn a_body_without_length_ends_with_the_connection() {
    use crate::decode::Tcp;
    let mut talk = super::conversation();
    talk.up(b"GET / HTTP/1.0\r\n\r\n").down(b"HTTP/1.0 200 OK\r\n\r\nsome").down(b" bytes");
    talk.flow.down.flags |= Tcp::FIN;
    talk.end();
    assert_eq!(super::rows(&mut talk.rows().http, SHORT), ["1|GET|/|200|0|10|-"]);
    let cut = one(b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nsome bytes");
    assert_eq!(cut, ["1|GET|/|200|0|10|unfinished"]);
}

#[test]
fn unfinished_messages_are_rows() {
    assert_eq!(
        one(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", b""),
        ["1|POST|/|-|3|-|unfinished"]
    );
    assert_eq!(
        one(b"GET /half HTTP/1.1\r\nHost: x\r\nUser", b""),
        ["1|GET|/half|-|0|-|unfinished"]
    );
    assert_eq!(
        one(super::GET, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        ["1|GET|/|200|0|3|unfinished"]
    );
    assert_eq!(one(super::GET, b"HTTP/1.1 302 Found\r\nLocat"), ["1|GET|/|302|0|0|unfinished"]);
    assert_eq!(one(super::GET, b""), ["1|GET|/|-|0|-|no reply"]);
}

#[test]
fn empty_lines_bare_line_feeds_and_folds_are_forgiven() {
    let columns = ["method", "host", "user_agent", "status", "server", "response_body"];
    let request = b"\r\n\n GET";
    assert!(heard(&[(true, request)], &columns).is_empty());
    let request =
        b"GET /a HTTP/1.1\nHost:a\nUser-Agent: one\n\t two\r\n  three\n\n\r\n\nGET /b HTTP/1.1\n\n";
    let replies = b"\r\nHTTP/1.1 200\nServer: \t x \nContent-Length:\r\n 1\n\nx\n\nHTTP/1.1 200 \n\
        Content-Length: 0\n\n";
    assert_eq!(
        heard(&[(true, request), (false, replies)], &columns),
        ["GET|a|one two three|200|x|1", "GET|-|-|200|-|0"]
    );
}

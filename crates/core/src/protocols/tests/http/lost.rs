//! Bytes that are missing.

use super::{GET, OK, SHORT, play};

const LONG: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_gap_in_a_counted_body_is_counted() {
    let rest = [&[b'x'; 100][..], OK].concat();
    let said = [
        (true, 0, GET),
        (false, 0, LONG),
        (false, 0, &[b'x'; 100][..]),
        (false, 100, &rest[..100]),
    ];
    let more = [(true, 0, GET), (false, 0, OK)];
    assert_eq!(
        play(&[&said[..], &more].concat(), SHORT),
        ["1|GET|/|200|0|300|-", "2|GET|/|200|0|2|-"]
    );
    let chunk = [CHUNKED, b"40\r\n"].concat();
    let said = [(true, 0, GET), (false, 0, &chunk[..]), (false, 64, b"\r\n0\r\n\r\n")];
    assert_eq!(play(&said, SHORT), ["1|GET|/|200|0|64|-"]);
}

#[test]
fn a_gap_beyond_a_body_loses_the_way_until_the_next_message() {
    let said: [super::Said; 6] = [
        (true, 0, GET),
        (false, 0, LONG),
        (false, 400, b"rest of something\r\nHTTP/1.1 200 quoted\r\n\r\n"),
        (true, 0, b"GET /2 HTTP/1.1\r\n\r\n"),
        (false, 0, b"\0\x01binaryHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
        (false, 0, b""),
    ];
    assert_eq!(play(&said, SHORT), ["1|GET|/|200|0|300|-", "2|GET|/2|404|0|0|-"]);
}

#[test]
fn a_gap_in_framing_ends_the_message() {
    let said: [super::Said; 6] = [
        (true, 0, GET),
        (false, 0, CHUNKED),
        (false, 0, b"5\r\nhel"),
        (false, 100, b"text\r\n0\r\n\r\n"),
        (true, 0, b"GET /2 HTTP/1.1\r\n\r\n"),
        (false, 0, OK),
    ];
    assert_eq!(play(&said, SHORT), ["1|GET|/|200|0|3|gap", "2|GET|/2|200|0|2|-"]);
}

#[test]
fn a_gap_in_a_head_ends_the_message() {
    let said: [super::Said; 5] = [
        (true, 0, b"POST /1 HTTP/1.1\r\nHost: x\r\nCoo"),
        (true, 100, b"\r\nmore\r\n"),
        (false, 0, OK),
        (true, 0, b"GET /2 HTTP/1.1\r\n\r\n"),
        (false, 0, OK),
    ];
    assert_eq!(play(&said, SHORT), ["1|POST|/1|200|0|2|gap", "2|GET|/2|200|0|2|-"]);
    let said: [super::Said; 5] = [
        (true, 0, GET),
        (false, 0, b"HTTP/1.1 200 OK\r\nServer: x\r\n"),
        (false, 100, b"body"),
        (true, 0, b"GET /2 HTTP/1.1\r\n\r\n"),
        (false, 0, OK),
    ];
    assert_eq!(play(&said, SHORT), ["1|GET|/|200|0|0|gap", "2|GET|/2|200|0|2|-"]);
}

#[test]
fn a_lost_reply_is_not_the_next_ones() {
    let next = b"GET /2 HTTP/1.1\r\n\r\n";
    let said = [(true, 0, GET), (false, 100, &b""[..]), (true, 0, next), (false, 0, OK)];
    assert_eq!(play(&said, SHORT), ["1|GET|/|-|0|-|gap", "2|GET|/2|200|0|2|-"]);
    // The acknowledgement that shows the loss comes with the next request.
    let said = [(true, 0, GET), (true, 0, next), (false, 100, &b""[..]), (false, 0, OK)];
    assert_eq!(play(&said, SHORT), ["1|GET|/|-|0|-|gap", "2|GET|/2|200|0|2|-"]);
}

#[test]
fn a_lost_request_is_not_guessed() {
    let said = [
        (true, 0, GET),
        (false, 0, OK),
        (true, 100, b""),
        (false, 0, OK),
        (true, 0, GET),
        (false, 0, OK),
    ];
    assert_eq!(
        play(&said, SHORT),
        ["1|GET|/|200|0|2|-", "2|-|-|200|0|2|no request", "3|GET|/|200|0|2|-"]
    );
}

#[test]
fn a_lost_reply_may_belong_to_a_request_that_comes_late() {
    let late = [b"GET /1 HTTP/1.1\r\n\r\n", &b"GET /2 HTTP/1.1\r\n\r\n"[..]].concat();
    let said: [super::Said; 5] =
        [(true, 0, GET), (false, 0, OK), (false, 100, b""), (true, 100, &late), (false, 0, OK)];
    assert_eq!(
        play(&said, SHORT),
        ["1|GET|/|200|0|2|-", "2|GET|/1|-|0|-|gap", "3|GET|/2|200|0|2|-"]
    );
}

#[test]
fn losses_between_pipelined_messages_leave_them_alone() {
    let two = [GET, GET].concat();
    let said =
        [(true, 0, &two[..]), (false, 0, OK), (true, 0, &two), (false, 100, b""), (false, 0, OK)];
    let mut talk = super::conversation();
    for (up, gap, data) in said {
        let direction = if up { super::Direction::Up } else { super::Direction::Down };
        talk.say(direction, gap, data);
    }
    talk.end();
    assert_eq!(
        super::rows(&mut talk.rows().http, SHORT),
        [
            "1|GET|/|200|0|2|-",
            "2|GET|/|-|0|-|gap",
            "3|GET|/|-|0|-|gap",
            "4|GET|/|-|0|-|gap",
            "5|-|-|200|0|2|gap"
        ]
    );
}

#[test]
fn a_stream_may_be_joined_in_the_middle() {
    let mut talk = super::conversation();
    talk.flow.up.packets = 1;
    assert!(!talk.flow.began());
    talk.down(b"the end of a page").up(GET).down(b"more HTTP/1.");
    talk.down(b"1 200 OK\r\nContent-Length: 0\r\n\r\n").end();
    assert_eq!(super::rows(&mut talk.rows().http, SHORT), ["1|GET|/|200|0|0|-"]);
}

#[test]
fn a_message_that_was_found_may_be_none() {
    let said: [super::Said; 7] = [
        (true, 0, GET),
        (false, 0, OK),
        (true, 100, b"GET /quoted HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n"),
        (true, 0, b"nothing at all\r\nPOST /x HTTP/1.1\r\n\r\n"),
        (false, 0, OK),
        (true, 0, b"\x01\x02\x03\r\n"),
        (true, 0, GET),
    ];
    assert_eq!(
        play(&said, SHORT),
        [
            "1|GET|/|200|0|2|-",
            "2|GET|/quoted|200|0|2|gap",
            "3|POST|/x|-|0|-|no reply",
            "4|GET|/|-|0|-|no reply"
        ]
    );
}

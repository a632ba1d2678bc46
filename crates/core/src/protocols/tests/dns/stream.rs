//! Messages in streams.

use super::*;

#[test]
fn streams_may_be_cut_anywhere_and_pipelined() {
    let asked = [counted(&query(1, "a", 1)), counted(&query(2, "b", 1))].concat();
    let data: Vec<u8> = (0..4).collect();
    let told =
        [counted(&reply(2, "b", 1, 0, &[&data])), counted(&reply(1, "a", 1, 3, &[]))].concat();
    for size in 1..asked.len() {
        let mut talk = stream();
        talk.pace(0);
        for part in asked.chunks(size) {
            talk.up(part);
        }
        for part in told.chunks(size) {
            talk.down(part);
        }
        assert_eq!(talk.service(), Some("dns"));
        assert_eq!(
            dns(&mut talk, &["transport", "query", "rcode", "rtt"]),
            ["tcp|b|NOERROR|0.0", "tcp|a|NXDOMAIN|0.0"]
        );
        assert_eq!(talk.protocols.buffered(), 0);
    }
}

#[test]
fn a_stream_goes_on_where_a_message_begins_after_a_gap() {
    let mut talk = stream();
    talk.up(&counted(&query(1, "a", 1)));
    talk.say(Direction::Up, 30, &counted(&query(3, "c", 1)));
    talk.down(&counted(&reply(3, "c", 1, 0, &[])));
    assert_eq!(dns(&mut talk, &["query", "rtt"]), ["c|0.001"]);
    talk.say(Direction::Up, 30, b"\0\x03mid").up(&counted(&query(4, "d", 1))).end();
    assert_eq!(dns(&mut talk, &["query", "rtt"]), ["a|-"]);
    assert!(talk.violations().is_empty());
}

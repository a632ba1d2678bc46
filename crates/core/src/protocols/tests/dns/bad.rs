//! Messages that break the rules, or the bounds.

use super::*;

#[test]
fn so_many_questions_wait_and_no_more() {
    let mut talk = datagrams();
    for id in 0..300 {
        talk.up(&query(id, "a", 1));
    }
    assert_eq!(dns(&mut talk, &["trans_id"]).len(), 300 - 256);
    assert_eq!(talk.protocols.buffered(), 256 * 64);
    talk.end();
    assert_eq!(dns(&mut talk, &["trans_id"]).len(), 256);
    assert_eq!(talk.protocols.buffered(), 0);
}

#[test]
fn without_memory_a_question_is_written_and_counted() {
    let settings = Settings { max_parser_buffers: 64, ..Settings::default() };
    let mut talk = Conversation::datagrams(53, settings);
    talk.up(&query(1, "a", 1)).up(&query(2, "b", 1));
    assert_eq!(dns(&mut talk, &["query"]), ["b", "a"]);
    assert_eq!(talk.violations(), [("parser buffers full".to_owned(), 1)]);
}

#[test]
fn compression_goes_back_only() {
    // The question's name points at itself, forward, or round in a circle.
    for pointer in [&[0xc0, 12][..], &[0xc0, 20], &[1, b'a', 0xc0, 12]] {
        let asked = [pointer, &[0, 1, 0, 1]].concat();
        let mut talk = datagrams();
        talk.up(&query(1, "a", 1)).up(&message(2, 0, [1, 0, 0, 0], &[&asked])).end();
        assert_eq!(talk.violations(), [("dns compression loop".to_owned(), 1)]);
        assert_eq!(dns(&mut talk, &["query"]), ["a"]);
    }
}

#[test]
fn a_loop_among_answers_leaves_what_came_before_it() {
    let mut talk = datagrams();
    talk.up(&query(1, "a", 5));
    let at = (12 + question("a", 5).len() + 12) as u8;
    talk.down(&reply(1, "a", 5, 0, &[&[0xc0, at]]));
    assert_eq!(talk.violations(), [("dns compression loop".to_owned(), 1)]);
    assert_eq!(dns(&mut talk, &["query", "rcode", "answers"]), ["a|NOERROR|[]"]);
}

#[test]
fn what_is_malformed_is_counted_by_kind() {
    let long: Vec<u8> = [&[63][..], &[b'x'; 63]].concat().repeat(4);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![0; 11], "dns message too short"),
        (message(2, 0, [1, 0, 0, 0], &[&[1, b'a']]), "dns message too short"),
        (message(2, 0, [1, 0, 0, 0], &[&long, &[0, 0, 1, 0, 1]]), "dns name too long"),
        (message(2, 0, [1, 0, 0, 0], &[&[0x40, 0, 0, 1, 0, 1]]), "dns label type unknown"),
        (
            message(2, 0, [65, 0, 0, 0], &[&[0, 0, 1, 0, 1].repeat(65)]),
            "dns message with too many questions",
        ),
    ];
    for (bytes, kind) in cases {
        let mut talk = datagrams();
        talk.up(&query(1, "a", 1)).up(&bytes);
        assert_eq!(talk.violations(), [(kind.to_owned(), 1)]);
        assert_eq!(talk.protocols.buffered(), 0);
    }
}

#[test]
fn a_message_cut_by_the_capture_gives_its_question() {
    let mut talk = datagrams();
    let whole = reply(1, "a", 1, 0, &[&[1, 1, 1, 1], &[2, 2, 2, 2]]);
    talk.up(&query(1, "a", 1));
    cut(&mut talk, Direction::Down, &whole[..whole.len() - 10]);
    let columns = ["query", "rcode", "answers", "answer_count"];
    assert_eq!(dns(&mut talk, &columns), ["a|NOERROR|[\"1.1.1.1\"]|2"]);
    cut(&mut talk, Direction::Up, &query(2, "long.name", 1)[..20]);
    assert!(talk.violations().is_empty());
}

#[test]
fn answers_are_kept_up_to_a_bound_and_counted() {
    let mut talk = datagrams();
    let long = name(&format!("{0}.{0}.{0}", "x".repeat(63)));
    // A reply whose 500 answers point at one long name.
    let first = record(ASKED, 2, 1, &long);
    let at = (12 + question("a", 2).len() + 12) as u16 | 0xc000;
    let other = record(ASKED, 2, 1, &at.to_be_bytes());
    let rest = other.repeat(500);
    talk.up(&query(1, "a", 2));
    talk.down(&message(1, 0x8000, [1, 501, 0, 0], &[&question("a", 2), &first, &rest]));
    let row = dns(&mut talk, &["answer_count", "answers"]).remove(0);
    assert!(row.starts_with("501|"), "{row}");
    assert!((10_000..20_000).contains(&row.len()), "{}", row.len());
    assert!(talk.violations().is_empty());
}

#[test]
fn other_protocols_are_not_taken_for_dns() {
    let netbios = [b"\x20EJFDEBFEEBFACACACACACACACACACAAA\0".as_slice(), &[0, 32, 0, 1]].concat();
    let others: Vec<Vec<u8>> = vec![
        message(1, 0x0110, [1, 0, 0, 0], &[&netbios]),
        message(1, 0x0100, [1, 0, 0, 0], &[&[0; 20]]),
        message(1, 0x0100, [1, 0, 0, 0], &[&question("a", 0)]),
        message(1, 0x0140, [1, 0, 0, 0], &[&question("a", 1)]),
        message(1, 0x0100, [1, 0, 0, 0], &[&question("a", 1), b"more"]),
        message(1, 0x0101, [1, 0, 0, 0], &[&question("a", 1)]),
        message(1, 0x0100, [0, 0, 0, 0], &[]),
        message(1, 0x8400, [0, 1, 0, 0], &[&[0; 12]]),
        vec![0; 100],
        vec![0xff; 100],
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
    ];
    let is_dns = |talk: &Conversation| talk.service() == Some("dns");
    for bytes in others {
        let mut talk = datagrams();
        talk.up(&bytes).up(&bytes).end();
        assert_eq!((is_dns(&talk), dns(&mut talk, COLUMNS).len()), (false, 0), "{bytes:?}");
        let mut talk = stream();
        talk.up(&counted(&bytes)).up(&bytes).end();
        assert_eq!((is_dns(&talk), dns(&mut talk, COLUMNS).len()), (false, 0), "{bytes:?}");
    }
}

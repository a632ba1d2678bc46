//! Data of records, as zone files write it.

use super::{datagrams, dns, name, query, reply};

/// The answer's text for a record of a type.
fn answer(qtype: u16, data: &[u8]) -> String {
    let mut talk = datagrams();
    talk.up(&query(1, "n", qtype)).down(&reply(1, "n", qtype, 0, &[data]));
    dns(&mut talk, &["answers"]).remove(0)
}

#[test]
fn types_are_written_as_in_zone_files() {
    let target = name("t.example");
    let with = |head: &[u8]| [head, &target].concat();
    let cases: Vec<(u16, Vec<u8>, &str)> = vec![
        (28, [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1]].concat(), "2001:db8::1"),
        (5, target.clone(), "t.example"),
        (15, with(&[0, 10]), "10 t.example"),
        (33, with(&[0, 1, 0, 2, 0, 80]), "1 2 80 t.example"),
        (16, b"\x02hi\x04a\"\\b".to_vec(), "\"hi\" \"a\\\"\\\\b\""),
        (6, [&target[..], &[0], &[0, 0, 0, 1].repeat(5)].concat(), "t.example . 1 1 1 1 1"),
        (257, b"\0\x05issueca.example".to_vec(), "0 issue \"ca.example\""),
        (43, vec![0, 5, 13, 2, 0xab, 0xcd], "5 13 2 abcd"),
        (44, vec![4, 2, 0xff], "4 2 ff"),
        (47, with(&[]).into_iter().chain([0, 1, 0x40]).collect(), "t.example A"),
        (48, vec![1, 0, 3, 13, 1, 2, 3], "256 3 13 AQID"),
        (256, [&[0, 1, 0, 2][..], b"a b"].concat(), "1 2 \"a b\""),
        (99, b"\x01x".to_vec(), "\"x\""),
        (17, with(&[0]), ". t.example"),
        (65400, vec![1, 2], "\\# 2 0102"),
        (65400, vec![], "\\# 0"),
        (1, vec![1, 2, 3], "\\# 3 010203"),
        (1, vec![1, 2, 3, 4, 5], "\\# 5 0102030405"),
        (16, vec![9, 1], "\\# 2 0901"),
    ];
    for (qtype, data, text) in cases {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        assert_eq!(answer(qtype, &data), format!("[\"{escaped}\"]"), "type {qtype}");
    }
    assert!(answer(10, &[7; 200]).ends_with("0707...\"]"));
}

#[test]
fn service_bindings_are_written_as_rfc_9460_does() {
    let parameter = |key: u8, value: &[u8]| [&[0, key, 0, value.len() as u8], value].concat();
    let data = [
        vec![0, 1, 0],
        parameter(0, &[0, 1, 0, 3]),
        parameter(1, b"\x02h2\x03a,\\"),
        parameter(2, &[]),
        parameter(3, &[1, 0xbb]),
        parameter(4, &[192, 0, 2, 1, 192, 0, 2, 2]),
        parameter(5, &[1, 2, 3]),
        parameter(99, b"v"),
    ];
    assert_eq!(
        answer(65, &data.concat()),
        r#"["1 . mandatory=alpn,port alpn=\"h2,a\\\\,\\\\\\\\\" no-default-alpn port=443 ipv4hint=192.0.2.1,192.0.2.2 ech=AQID key99=\"v\""]"#
    );
}

//! JA4: the values of its technical description, and of ALPN that is no text.

use super::bytes::{Client, client, numbers, protocols, server_name, vector16};
use super::{conversation, rows};

fn ja4(client: &Client) -> String {
    let mut talk = conversation();
    talk.up(&client.record()).end();
    rows(&mut talk.rows().tls, &["ja4"]).remove(0)
}

/// The fingerprint of the client of the other tests: hashes by sha256sum.
pub(super) fn of_client() -> &'static str {
    "t13d0304h2_938715873a05_ef5f37ab036a"
}

/// The example of the description, its extensions and ciphers in the order of the original.
fn example() -> Client {
    let ciphers = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
        0x009c, 0x009d, 0x002f, 0x0035,
    ];
    let order = [
        0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
        0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
    ];
    let algorithms = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
    let content = |number| match number {
        0 => server_name(b"www.example.org"),
        13 => vector16(&numbers(&algorithms)),
        16 => protocols(&[b"h2", b"http/1.1"]),
        43 => vec![4, 3, 4, 3, 3],
        _ => vec![],
    };
    let extensions = order.into_iter().map(|number| (number, content(number))).collect();
    Client { version: 0x0303, session_id: vec![], ciphers: ciphers.to_vec(), extensions }
}

#[test]
fn the_example_of_the_description() {
    assert_eq!(ja4(&example()), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

#[test]
fn grease_counts_nowhere() {
    let mut hello = example();
    hello.ciphers.insert(3, 0x8a8a);
    hello.extensions.insert(0, (0xdada, vec![]));
    for (number, content) in &mut hello.extensions {
        match number {
            13 => *content = [&[0, 18, 0xfa, 0xfa], &content[2..]].concat(),
            43 => *content = vec![6, 0xea, 0xea, 3, 4, 3, 3],
            _ => {}
        }
    }
    assert_eq!(ja4(&hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

#[test]
fn without_algorithms_the_list_ends_without_a_line() {
    let mut hello = example();
    hello.extensions.iter_mut().filter(|(number, _)| *number == 13).for_each(|one| one.1.clear());
    assert_eq!(ja4(&hello), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

#[test]
fn what_is_missing_is_zeros() {
    let hello = Client { version: 0x0301, session_id: vec![], ciphers: vec![], extensions: vec![] };
    assert_eq!(ja4(&hello), "t10i000000_000000000000_000000000000");
    let hello = Client { version: 0x0300, extensions: vec![(0, vec![])], ..hello };
    assert_eq!(ja4(&hello), "ts3d000100_000000000000_000000000000");
}

#[test]
fn more_than_ninety_nine_are_ninety_nine() {
    let mut hello = client("x");
    hello.ciphers = (0..150).collect();
    assert_eq!(&ja4(&hello)[..10], "t13d9904h2");
}

#[test]
fn the_first_protocol_gives_its_ends() {
    let cases: [(&[u8], &str); 10] = [
        (b"http/1.1", "h1"),
        (b"h", "hh"),
        (b"", "00"),
        (b"\xab", "ab"),
        (b" ", "20"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"a ", "60"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ];
    for (protocol, letters) in cases {
        let mut hello = example();
        for extension in hello.extensions.iter_mut().filter(|(number, _)| *number == 16) {
            extension.1 = protocols(&[protocol]);
        }
        assert_eq!(&ja4(&hello)[8..10], letters, "{protocol:?}");
    }
}

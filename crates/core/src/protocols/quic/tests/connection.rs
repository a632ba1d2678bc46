//! Whole connections, and what looks like one.

use super::super::version::Version;
use super::{CLIENT_HELLO, DCID, End, SCID, SERVER_HELLO, crypto, hex, one_rtt};
use crate::protocols::tests::rows;
use crate::protocols::{Conversation, Settings};

const COLUMNS: &[&str] = &["src_port", "sni", "version", "quic_version", "alert", "established"];
const WHOLE: &str = "40000|example.com|TLSv1.3|1|-|true";

fn conversation() -> Conversation {
    Conversation::datagrams(443, Settings::default())
}

fn told(talk: &mut Conversation) -> Vec<String> {
    assert_eq!(talk.service(), Some("quic"));
    rows(&mut talk.rows().tls, COLUMNS)
}

fn client() -> End {
    End::client(Version::ONE, &DCID)
}

/// What follows the hellos: both ends encrypt.
fn go_on(talk: &mut Conversation, client: &mut End) {
    talk.up(&[client.packet(&hex("0200000000"), 1), client.shut(2)].concat());
    assert!(talk.flow.deaf);
    assert_eq!(talk.protocols.buffered(), 0);
    assert_eq!(talk.violations(), []);
}

#[test]
fn a_connection_is_a_row_when_both_ends_encrypt() {
    let (mut client, mut talk) = (client(), conversation());
    talk.up(&client.hello()).down(&End::server(&client).reply());
    assert!(told(&mut talk).is_empty());
    go_on(&mut talk, &mut client);
    assert_eq!(told(&mut talk), [WHOLE]);
    assert_eq!(talk.name(), Some(("example.com".to_owned(), "quic")));
}

#[test]
fn the_client_may_be_the_end_that_was_called() {
    let (mut client, mut talk) = (client(), conversation());
    let (hello, reply) = (client.hello(), End::server(&client).reply());
    talk.down(&hello).up(&reply).down(&client.shut(2));
    assert_eq!(told(&mut talk), ["443|example.com|TLSv1.3|1|-|true"]);
}

#[test]
fn a_hello_may_be_cut_and_shuffled_over_packets() {
    let hello = hex(CLIENT_HELLO);
    let frames = |cuts: &[(usize, usize)]| {
        let mut frames = vec![1, 0];
        for &(from, to) in cuts {
            frames.extend(crypto(from, &hello[from..to]));
        }
        frames
    };
    let (first, second) = (frames(&[(200, 241), (0, 7), (60, 90)]), frames(&[(90, 200), (5, 60)]));
    for turned in [false, true] {
        let (mut client, mut talk) = (client(), conversation());
        let mut datagrams = [client.initial(&first), client.initial(&second)];
        if turned {
            datagrams.reverse();
        }
        for datagram in datagrams {
            talk.up(&datagram);
        }
        assert_eq!(talk.name(), Some(("example.com".to_owned(), "quic")));
        talk.down(&End::server(&client).reply());
        go_on(&mut talk, &mut client);
        assert_eq!(told(&mut talk), [WHOLE]);
    }
}

#[test]
fn packets_share_a_datagram() {
    let hello = hex(CLIENT_HELLO);
    let (mut client, mut talk) = (client(), conversation());
    let mut datagram = client.packet(&crypto(0, &hello[..100]), 1);
    datagram.extend(client.packet(&crypto(100, &hello[100..]), 3));
    datagram.extend(client.shut(1));
    datagram.resize(1200, 0);
    talk.up(&datagram).up(&client.shut(1));
    talk.down(&[End::server(&client).reply(), one_rtt()].concat());
    go_on(&mut talk, &mut client);
    assert_eq!(told(&mut talk), [WHOLE]);
}

#[test]
fn retry_begins_anew_with_other_keys() {
    let (mut client, mut talk) = (client(), conversation());
    client.scid = vec![7; 5];
    let hello = client.hello();
    let server = End::server(&client);
    let retry = [server.long(3, 0), vec![0x77; 60]].concat();
    let mut again = End::client(Version::ONE, &SCID);
    again.token = vec![0x77; 44];
    again.number = client.number;
    talk.up(&hello).down(&retry).up(&again.hello()).down(&End::server(&again).reply());
    go_on(&mut talk, &mut again);
    assert_eq!(told(&mut talk), [WHOLE]);
}

/// A Version Negotiation packet.
fn negotiation(versions: &[u32]) -> Vec<u8> {
    let mut packet = hex("8a 00000000 00 08 8394c8f03e515708");
    packet.extend(versions.iter().flat_map(|version| version.to_be_bytes()));
    packet
}

#[test]
fn version_negotiation_begins_anew_in_another_version() {
    let (mut second, mut talk) = (End::client(Version::TWO, &DCID), conversation());
    let mut first = client();
    talk.up(&second.hello()).down(&negotiation(&[1, 0x1a2a_3a4a]));
    talk.up(&first.hello()).down(&End::server(&first).reply());
    go_on(&mut talk, &mut first);
    assert_eq!(told(&mut talk), [WHOLE]);
}

#[test]
fn a_version_that_nobody_speaks_is_quic_once_it_is_refused() {
    let (mut client, mut talk) = (client(), conversation());
    let mut strange = client.hello();
    strange[1..5].copy_from_slice(&[0x1a, 0x2a, 0x3a, 0x4a]);
    talk.up(&strange);
    assert_eq!(talk.service(), None);
    talk.down(&negotiation(&[0x6b33_43cf, 1]));
    talk.up(&client.hello()).down(&End::server(&client).reply());
    go_on(&mut talk, &mut client);
    assert_eq!(told(&mut talk), [WHOLE]);
}

#[test]
fn the_server_may_choose_the_other_version() {
    let (mut client, mut talk) = (client(), conversation());
    talk.up(&client.hello());
    client.version = Version::TWO;
    let mut server = End::server(&client);
    talk.down(&server.reply());
    go_on(&mut talk, &mut client);
    assert_eq!(told(&mut talk), ["40000|example.com|TLSv1.3|2|-|true"]);
}

#[test]
fn a_refusal_names_its_alert() {
    let (mut client, mut talk) = (client(), conversation());
    let hello = client.hello();
    let close = End::server(&client).packet(&hex("1c41780000"), 1);
    talk.up(&hello).down(&close).end();
    let alert = "fatal no_application_protocol";
    assert_eq!(told(&mut talk), [format!("40000|example.com|-|1|{alert}|false")]);
}

#[test]
fn a_second_connection_between_the_same_ports_is_a_second_row() {
    let (mut client, mut talk) = (client(), conversation());
    let mut other = End::client(Version::ONE, &[9; 12]);
    talk.up(&client.hello()).up(&other.hello()).down(&End::server(&other).reply());
    go_on(&mut talk, &mut other);
    assert_eq!(told(&mut talk), ["40000|example.com|-|1|-|false", WHOLE]);
}

#[test]
fn a_hello_repeated_is_one() {
    let (mut client, mut talk) = (client(), conversation());
    let hello = client.hello();
    talk.up(&hello).up(&hello).up(&client.hello());
    talk.down(&End::server(&client).reply());
    go_on(&mut talk, &mut client);
    assert_eq!(told(&mut talk), [WHOLE]);
}

#[test]
fn a_reply_may_come_in_pieces_and_damaged_packets_are_nobodys() {
    let (mut client, mut talk) = (client(), conversation());
    let hello = hex(SERVER_HELLO);
    talk.up(&client.hello());
    let mut server = End::server(&client);
    let late = server.packet(&crypto(40, &hello[40..]), 2);
    let mut damaged = server.packet(&crypto(0, &[0xff; 40]), 2);
    damaged[30] ^= 1;
    talk.down(&late).down(&damaged).down(&server.packet(&crypto(0, &hello[..40]), 2));
    talk.down(&server.shut(2));
    go_on(&mut talk, &mut client);
    assert_eq!(told(&mut talk), [WHOLE]);
}

#[test]
fn a_client_alone_is_a_row_at_the_end() {
    let (mut client, mut talk) = (client(), conversation());
    talk.up(&client.hello()).end();
    assert_eq!(told(&mut talk), ["40000|example.com|-|1|-|false"]);
    assert_eq!(talk.protocols.buffered(), 0);
}

#[test]
fn a_client_alone_that_goes_on_is_heard_no_longer() {
    let (mut client, mut talk) = (client(), conversation());
    talk.up(&client.hello());
    for _ in 0..8 {
        assert!(!talk.flow.deaf);
        talk.up(&one_rtt());
    }
    assert!(talk.flow.deaf);
    assert_eq!(told(&mut talk), ["40000|example.com|-|1|-|false"]);
}

#[test]
fn a_server_alone_cannot_be_opened() {
    let (client, mut talk) = (client(), conversation());
    let mut server = End::server(&client);
    talk.up(&server.initial(&crypto(0, &hex(SERVER_HELLO))));
    for _ in 0..8 {
        talk.up(&one_rtt());
    }
    assert_eq!(talk.violations(), [("quic initial not decrypted".to_owned(), 1)]);
    assert!(told(&mut talk).is_empty());
}

#[test]
fn tries_have_a_bound() {
    let (mut client, mut talk) = (client(), conversation());
    let hello = client.initial(&crypto(0, &hex(CLIENT_HELLO)[..80]));
    (0..40).for_each(|_| {
        talk.up(&hello);
    });
    assert_eq!(talk.violations(), [("too many quic initials".to_owned(), 1)]);
    assert_eq!((talk.protocols.buffered(), talk.flow.deaf), (0, true));
}

#[test]
fn frames_that_do_not_belong_end_it() {
    let (mut client, mut talk) = (client(), conversation());
    talk.up(&client.initial(&[0x08, 0, 0]));
    assert_eq!(talk.violations(), [("quic frame malformed".to_owned(), 1)]);
}

#[test]
fn versions_that_are_not_read_are_named() {
    let mut talk = conversation();
    let google = hex("0d 83 94 c8 f0 3e 51 57 08 51 30 34 33 01 aa bb");
    talk.up(&google).down(&hex("0c 01 02 03")).end();
    assert_eq!(told(&mut talk), ["40000|-|-|0x51303433|-|false"]);
    let mut talk = conversation();
    talk.up(&hex("c3 faceb002 08 8394c8f03e515708 00 00 1234")).end();
    assert_eq!(told(&mut talk), ["40000|-|-|0xfaceb002|-|false"]);
}

#[test]
fn a_short_initial_is_quic_if_it_opens() {
    let (mut client, mut talk) = (client(), conversation());
    talk.up(&client.packet(&crypto(0, &hex(CLIENT_HELLO)), 1));
    assert_eq!(talk.service(), Some("quic"));
    let mut talk = conversation();
    let mut damaged = client.packet(&crypto(0, &hex(CLIENT_HELLO)), 1);
    damaged[100] ^= 1;
    talk.up(&damaged);
    assert_eq!(talk.service(), None);
}

#[test]
fn what_only_looks_like_it_is_not() {
    let others = [
        "",
        "c0",
        "c000000001",
        "c000000001ff",
        "4b4b4b4b4b",
        "c500000001 15 00",
        "80000000000000",
        "0d83",
    ];
    for bytes in others {
        let mut talk = conversation();
        talk.up(&hex(bytes)).end();
        assert_eq!(talk.service(), None, "{bytes}");
    }
}

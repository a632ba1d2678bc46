//! TLS: handshakes of every version, in pieces, cut short, resumed, refused and hidden.

mod bytes;
mod hostile;
mod ja4;

use super::rows;
use crate::protocols::{Conversation, Settings};
use crate::tables::Table;
use bytes::*;

const COLUMNS: &[&str] = &["sni", "version", "cipher", "alpn", "resumed", "alert", "established"];

const TLS13: &str = "www.example.org|TLSv1.3|TLS_AES_128_GCM_SHA256|-|false|-|true";
const TLS12: &str = "www.example.org|TLSv1.2|TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256|h2|false|-|true";

fn conversation() -> Conversation {
    Conversation::stream(8443, Settings::default())
}

/// The row, after which nothing is kept.
fn row(talk: &mut Conversation) -> Vec<String> {
    assert_eq!(talk.protocols.buffered(), 0);
    rows(&mut talk.rows().tls, COLUMNS)
}

/// A whole handshake of TLS 1.3, what each side says in one piece.
fn tls13() -> [(bool, Vec<u8>); 3] {
    let reply = [server(0x0304, &[7; 32], &[]), change(), data(900)].concat();
    let finish = [change(), data(53)].concat();
    [(true, client("www.example.org").record()), (false, reply), (true, finish)]
}

/// A whole handshake of TLS 1.2.
fn tls12() -> [(bool, Vec<u8>); 4] {
    let hello = server(0x0303, &[9; 32], &[(16, protocols(&[b"h2"]))]);
    let reply = [hello, certificates(&[&certificate(), &[0; 5000]]), done()].concat();
    let finish = [record(22, &message(16, &[5; 65])), finished()].concat();
    [
        (true, client("www.example.org").record()),
        (false, reply),
        (true, finish),
        (false, finished()),
    ]
}

fn say(talk: &mut Conversation, said: &[(bool, Vec<u8>)]) {
    for (up, data) in said {
        if *up {
            talk.up(data)
        } else {
            talk.down(data)
        };
    }
}

#[test]
fn a_handshake_is_a_row_as_soon_as_both_encrypt() {
    let mut talk = conversation();
    say(&mut talk, &tls13());
    assert!(talk.flow.deaf);
    assert_eq!(row(&mut talk), [TLS13]);
    assert_eq!(talk.service(), Some("tls"));
    assert_eq!(talk.name(), Some(("www.example.org".to_owned(), "sni")));
    say(&mut talk, &tls13());
    talk.end();
    assert_eq!(talk.rows().tls.len(), 0);
}

#[test]
fn what_the_client_offers_is_told_without_grease() {
    let mut talk = conversation();
    talk.up(&client("www.example.org").record()).end();
    let columns = [
        "client_version",
        "client_versions",
        "client_ciphers",
        "client_alpn",
        "ja4",
        "ech",
        "resumed",
    ];
    assert_eq!(
        rows(&mut talk.rows().tls, &columns),
        [format!(
            "TLSv1.3|[\"TLSv1.3\",\"TLSv1.2\"]|[\"TLS_AES_128_GCM_SHA256\",\
             \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\",\"TLS_EMPTY_RENEGOTIATION_INFO_SCSV\"]|\
             [\"h2\",\"http/1.1\"]|{}|false|-",
            ja4::of_client()
        )]
    );
}

#[test]
fn the_certificate_is_read_up_to_tls12() {
    let mut talk = conversation();
    say(&mut talk, &tls12());
    let columns = ["subject", "issuer", "not_before", "not_after", "certificate_names"];
    let batch = rows(&mut talk.rows().tls, &columns);
    assert_eq!(
        batch,
        ["CN=www.example.org,O=Acme\\\\, Inc.,C=XX|CN=www.example.org,O=Acme\\\\, Inc.,C=XX|\
          2026-11-20T14:07:11.000000000Z|2126-10-27T14:07:11.000000000Z|\
          [\"www.example.org\",\"*.example.org\"]"]
    );
    assert!(talk.violations().is_empty());
}

#[test]
fn pieces_of_any_size_make_the_same_rows() {
    for (handshake, wanted) in [(&tls13()[..], TLS13), (&tls12()[..], TLS12)] {
        for size in [1, 2, 3, 7, 100] {
            let mut talk = conversation();
            for (up, data) in handshake {
                data.chunks(size).for_each(|piece| say(&mut talk, &[(*up, piece.to_vec())]));
            }
            assert_eq!(row(&mut talk), [wanted], "{size}");
        }
        let hello = &handshake[0].1;
        for at in 1..hello.len() {
            let mut talk = conversation();
            talk.up(&hello[..at]).up(&hello[at..]);
            say(&mut talk, &handshake[1..]);
            assert_eq!(row(&mut talk), [wanted], "{at}");
        }
    }
}

#[test]
fn a_hello_may_be_spread_over_many_records() {
    let hello = client("www.example.org").message();
    let mut talk = conversation();
    hello.chunks(5).for_each(|piece| {
        talk.up(&record(22, piece));
    });
    say(&mut talk, &tls13()[1..]);
    assert_eq!(row(&mut talk), [TLS13]);
}

#[test]
fn roles_come_from_the_messages() {
    let mut talk = conversation();
    let turned = tls13().map(|(up, data)| (!up, data));
    say(&mut talk, &turned);
    let ends = ["src_ip", "src_port", "dst_ip", "dst_port"];
    assert_eq!(rows(&mut talk.rows().tls, &ends), ["198.51.100.2|8443|192.0.2.1|40000"]);

    let mut talk = conversation();
    talk.down(&server(0x0304, &[], &[])).down(&data(100)).end();
    assert_eq!(row(&mut talk), ["-|TLSv1.3|TLS_AES_128_GCM_SHA256|-|false|-|false"]);
}

#[test]
fn one_direction_alone_is_given_up_after_a_while() {
    let mut talk = conversation();
    talk.up(&client("www.example.org").record()).up(&change());
    (0..40).for_each(|_| {
        talk.up(&data(1000));
    });
    assert!(talk.flow.deaf);
    assert_eq!(row(&mut talk), ["www.example.org|-|-|-|-|-|false"]);
}

#[test]
fn of_two_client_hellos_the_first_counts_and_of_the_server_the_last() {
    let [(_, first), (_, reply), (_, finish)] = tls13();
    let second = [change(), client("other.example.org").record()].concat();
    let asked = [retry(), change()].concat();
    let mut talk = conversation();
    talk.up(&first).down(&asked).up(&second).down(&reply).up(&finish);
    assert_eq!(row(&mut talk), [TLS13]);
}

#[test]
fn sessions_are_resumed_by_number_by_ticket_and_by_key() {
    let hello = client("www.example.org").record();
    let short = |id: &[u8], ticket: bool| {
        let ticket = if ticket { record(22, &message(4, &[1; 60])) } else { vec![] };
        let mut talk = conversation();
        talk.up(&hello)
            .down(&[server(0x0303, id, &[]), ticket, finished()].concat())
            .up(&finished());
        row(&mut talk)
    };
    let wanted = "www.example.org|TLSv1.2|TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256|-|true|-|true";
    assert_eq!(short(&[7; 32], false), [wanted]);
    assert_eq!(short(&[], true), [wanted]);

    let mut talk = conversation();
    talk.up(&hello).down(&server(0x0303, &[7; 32], &[])).end();
    assert_eq!(row(&mut talk), [wanted.replace("|-|true|-|true", "|-|true|-|false")]);

    let mut talk = conversation();
    let reply = [server(0x0304, &[7; 32], &[(41, vec![0, 0])]), data(90)].concat();
    talk.up(&hello).down(&reply).up(&data(53));
    assert_eq!(row(&mut talk), [TLS13.replace("|false|-|", "|true|-|")]);
}

#[test]
fn early_data_is_no_sign_of_a_finished_handshake() {
    let hello = client("www.example.org").and(42, &[]).record();
    let mut talk = conversation();
    talk.up(&[hello, change(), data(500)].concat());
    talk.down(&[server(0x0304, &[7; 32], &[]), data(90)].concat()).end();
    assert_eq!(row(&mut talk), [TLS13.replace("|true", "|false")]);
}

#[test]
fn a_short_encrypted_record_of_the_client_is_an_alert() {
    let [hello, reply, _] = tls13();
    let mut talk = conversation();
    say(&mut talk, &[hello, reply]);
    talk.up(&data(19)).end();
    assert_eq!(row(&mut talk), [TLS13.replace("|true", "|false")]);
}

#[test]
fn alerts_are_named_the_first_fatal_one_before_others() {
    let mut talk = conversation();
    talk.up(&client("www.example.org").record()).down(&record(21, &[1, 112]));
    talk.down(&record(21, &[2, 40])).down(&record(21, &[2, 80]));
    assert_eq!(row(&mut talk), ["www.example.org|-|-|-|-|fatal handshake_failure|false"]);

    let mut talk = conversation();
    talk.up(&client("www.example.org").record()).down(&record(21, &[1, 0])).end();
    assert_eq!(row(&mut talk), ["www.example.org|-|-|-|-|warning close_notify|false"]);

    let mut talk = conversation();
    talk.up(&client("www.example.org").record()).down(&record(21, &[2, 99]));
    assert_eq!(row(&mut talk), ["www.example.org|-|-|-|-|fatal 99|false"]);

    let mut talk = conversation();
    talk.up(&client("www.example.org").record());
    record(21, &[2; 26]).chunks(1).for_each(|piece| {
        talk.down(piece);
    });
    talk.end();
    assert_eq!(row(&mut talk), ["www.example.org|-|-|-|-|-|false"], "an encrypted alert");
}

#[test]
fn an_encrypted_hello_is_marked_and_its_cover_is_no_sure_name() {
    let ech = |name: &str| {
        let mut talk = conversation();
        talk.up(&client(name).and(0xfe0d, &[0; 90]).record());
        let named = talk.name();
        talk.end();
        (named, rows(&mut talk.rows().tls, &["sni", "ech"]))
    };
    let (named, rows) = ech("site.example");
    assert_eq!(named, Some(("site.example".to_owned(), "ech")));
    assert_eq!(rows, ["site.example|true"]);
    let (named, rows) = ech("Cloudflare-ECH.com");
    assert_eq!(named, None);
    assert_eq!(rows, ["Cloudflare-ECH.com|true"]);
}

#[test]
fn drafts_of_tls13_are_tls13() {
    let draft = |random: [u8; 2]| {
        let mut body = vec![0x7f, 18];
        body.extend([random[0]; 32]);
        body.extend([0x13, 1, 0, 0]);
        record(22, &message(2, &body))
    };
    let hello = client("www.example.org").record();
    let mut talk = conversation();
    talk.up(&hello).down(&[draft([1, 2]), data(90)].concat()).up(&data(60));
    assert_eq!(row(&mut talk), [TLS13.replace("TLSv1.3", "TLSv1.3-draft18")]);
}

#[test]
fn a_hello_in_the_form_of_ssl2_leads_to_tls() {
    let mut hello = vec![1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2f, 1, 0, 0x80];
    hello.extend([9; 16]);
    let hello = [&[0x80, hello.len() as u8], &*hello].concat();
    let [_, (_, reply), (_, finish), last] = tls12();
    for size in [1, 100] {
        let mut talk = conversation();
        hello.chunks(size).for_each(|piece| {
            talk.up(piece);
        });
        talk.down(&reply).up(&finish);
        say(&mut talk, std::slice::from_ref(&last));
        let columns = ["version", "client_version", "client_ciphers", "ja4", "established"];
        assert_eq!(
            rows(&mut talk.rows().tls, &columns),
            ["TLSv1.2|TLSv1.0|[\"TLS_RSA_WITH_AES_128_CBC_SHA\"]|-|true"]
        );
    }
}

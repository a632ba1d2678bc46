//! Signatures: each whole, in pieces, spoiled, from the other end; and words that begin several.

use crate::flow::Direction::{self, Down, Up};
use crate::protocols::{Conversation, Settings};

/// What one end says first in each protocol that this alone tells.
const ALONE: &[(&str, Direction, &[u8])] = &[
    ("smtp", Down, b"220 mx.example.org ESMTP Postfix\r\n"),
    ("smtp", Down, b"220-mx.example.org says hello\r\n220 Smtp ready\r\n"),
    ("smtp", Up, b"EHLO client.example.org\r\n"),
    ("smtp", Up, b"helo client\r\n"),
    ("imap", Down, b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n"),
    ("imap", Down, b"* PREAUTH IMAP4rev1 server logged in as Smith\r\n"),
    ("pop3", Down, b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n"),
    ("nntp", Down, b"200 news.example.org InterNetNews NNRP server ready (NNTP)\r\n"),
    ("ftp", Down, b"220 (vsFTPd 3.0.3)\r\n"),
    ("ftp", Down, b"220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n"),
    ("rsync", Down, b"@RSYNCD: 31.0 sha512 md5\n"),
    ("rsync", Up, b"@RSYNCD: 31.0\n"),
    ("bittorrent", Up, b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05"),
    ("bittorrent", Down, b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05"),
    ("git", Up, b"0033git-upload-pack /project.git\0host=example.org\0"),
    ("vnc", Down, b"RFB 003.008\n"),
    ("telnet", Down, b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23"),
    ("rdp", Up, b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x0b\0\0\0"),
    ("rdp", Up, b"\x03\0\0\x2b\x26\xe0\0\0\x12\x34\0Cookie: mstshash=eltons\r\n\x01\0\x08\0\x03\0\0\0"),
    ("mqtt", Up, b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04abcd"),
    ("mqtt", Up, b"\x10\x12\0\x06MQIsdp\x03\x02\0\x3c\0\x04abcd"),
    ("mqtt", Up, b"\x10\x10\0\x04MQTT\x05\xc6\0\x3c\0\0\x04abc"),
    ("amqp", Up, b"AMQP\0\0\x09\x01"),
    ("amqp", Up, b"AMQP\x03\x01\0\0"),
    ("irc", Up, b"CAP LS 302\r\nNICK fred\r\nUSER fred 0 * :Fred\r\n"),
    ("xmpp", Up, b"<?xml version='1.0'?><stream:stream to='example.org'>"),
    ("xmpp", Down, b"<?xml version='1.0' encoding='UTF-8'?>\n<stream:stream id='1'>"),
    ("xmpp", Up, b"<stream:stream to='example.org' xmlns='jabber:client'>"),
    ("sip", Up, b"REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n"),
    ("sip", Down, b"OPTIONS sip:fred@192.0.2.1 SIP/2.0\r\n"),
    ("sip", Down, b"SIP/2.0 401 Unauthorized\r\n"),
    ("rtsp", Up, b"OPTIONS rtsp://example.org/film RTSP/1.0\r\nCSeq: 1\r\n"),
    ("rtsp", Down, b"RTSP/1.0 200 OK\r\n"),
    ("redis", Up, b"*1\r\n$4\r\nPING\r\n"),
    ("redis", Up, b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"),
    ("postgresql", Up, b"\0\0\0\x08\x04\xd2\x16\x2f"),
    ("postgresql", Up, b"\0\0\0\x08\x04\xd2\x16\x30"),
    ("postgresql", Up, b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02"),
    ("postgresql", Up, b"\0\0\0\x21\0\x03\0\0user\0fred\0database\0fred\0\0"),
    ("mysql", Down, b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf"),
    ("mysql", Down, b"\x46\0\0\0\xff\x6a\x04Host '192.0.2.1' is not allowed to connect"),
    ("mssql", Up, b"\x12\x01\0\x2f\0\0\x01\0\0\0\x1a\0\x06\x01\0\x20\0\x01\x02\0\x21\0\x01"),
    ("mongodb", Up, b"\x3d\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0\x04\0\0\0admin.$cmd\0"),
    ("mongodb", Up, b"\x3d\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x28\0\0\0\x10hello"),
    ("ldap", Up, b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"),
    ("ldap", Up, b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
    ("ldap", Up, b"\x30\x25\x02\x01\x01\x63\x20\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0"),
    ("kerberos", Up, b"\0\0\0\xc8\x6a\x81\xc5\x30\x81\xc2\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a"),
    ("kerberos", Down, b"\0\0\0\xc8\x7e\x81\xc5\x30\x81\xc2\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e"),
    ("bgp", Up, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x1d\x01\x04\0"),
    ("smb", Up, b"\0\0\0\x54\xffSMB\x72\0\0\0\0"),
    ("smb", Down, b"\0\0\0\x54\xfeSMB\x40\0\0\0\0"),
    ("smb", Up, b"\x81\0\0\x44\x20CKFDENECFDEFFCFGEFFCCACACACACACA\0\x20FBCDEFGHIJKLMNOPABCDEFGHIJKLMNOP\0\0\0\0\x54\xffSMBr"),
];

/// Datagrams.
const DATAGRAMS: &[(&str, Direction, &[u8])] = &[
    ("sip", Up, b"OPTIONS sip:example.org SIP/2.0\r\nVia: x\r\n\r\n"),
    ("sip", Down, b"SIP/2.0 200 OK\r\n\r\n"),
    ("ssdp", Up, b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"),
    ("stun", Up, b"\0\x01\0\0\x21\x12\xa4\x42abcdefghijkl"),
    ("stun", Down, b"\x01\x01\0\x04\x21\x12\xa4\x42abcdefghijkl\0\x20\0\0"),
    ("dtls", Up, b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x40\x01\0\0\x34"),
    ("snmp", Up, b"\x30\x13\x02\x01\x01\x04\x06public\xa0\x06\x02\x01\x01\x02\x01\0"),
    ("snmp", Up, b"\x30\x0a\x02\x01\x03\x30\x05\x02\x01\x01\x02\0"),
    ("radius", Up, b"\x01\x05\0\x1aabcdefghijklmnop\x01\x06fred"),
    ("syslog", Up, b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - hi"),
    ("syslog", Up, b"<13>Oct 11 22:14:15 host su: hi"),
    ("tftp", Up, b"\0\x01boot/file\0octet\0tsize\x000\0"),
    ("bittorrent", Up, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"),
    ("kerberos", Up, b"\x6a\x81\xc5\x30\x81\xc2\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a"),
    ("ldap", Up, b"\x30\x25\x02\x01\x01\x63\x20\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0"),
    (
        "nbns",
        Up,
        b"\x12\x34\x01\x10\0\x01\0\0\0\0\0\0\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\x01",
    ),
];

/// Both ends must have spoken: first the server's words or the client's, then the other's.
const TOGETHER: &[(&str, Direction, &[u8], &[u8])] = &[
    ("smtp", Down, b"220 Hello there\r\n", b"EHLO x\r\n"),
    ("smtp", Down, b"220 ftp.example.org ESMTP\r\n", b"EHLO x\r\n"),
    ("ftp", Down, b"220 Hello there\r\n", b"USER anonymous\r\n"),
    ("ftp", Down, b"220 smtp.example.org FTP server\r\n", b"AUTH TLS\r\n"),
    ("ftp", Up, b"user fred\r\n", b"220 Hello there\r\n"),
    ("pop3", Down, b"+OK Dovecot ready.\r\n", b"CAPA\r\n"),
    ("imap", Down, b"* OK Hello\r\n", b"a1.x CAPABILITY\r\n"),
    ("nntp", Down, b"200 Hello\r\n", b"MODE READER\r\n"),
    ("redis", Up, b"PING\r\n", b"+PONG\r\n"),
    ("memcached", Up, b"get key\r\n", b"END\r\n"),
    ("memcached", Up, b"set key 0 0 1\r\nx\r\n", b"STORED\r\n"),
    ("memcached", Up, b"stats\r\n", b"STAT pid 1\r\n"),
    ("memcached", Up, b"version\r\n", b"VERSION 1.6.9\r\n"),
];

/// What looks like one and is none, or could be several.
const NOTHING: &[(Direction, &[u8])] = &[
    (Down, b"220 Hello there\r\n220 and more\r\n"),
    (Down, b"220 mail \x01 SMTP\r\n"),
    (Down, b"+OK\r\n"),
    (Up, b"USER fred\r\nPASS secret\r\n"),
    (Up, b"AUTH secret\r\nQUIT\r\n"),
    (Up, b"*1\r\n$4\r\nPI"),
    (Up, b"*1\r\n$4\r\n\x01\x02\x03\x04\r\n"),
    (Up, b"\x10\x0c\0\x04MQTT\x04\x03\0\x3c\0\0"),
    (Up, b"\x10\xff\xff\xff\xff\x01\0\x04MQTT\x04\x02"),
    (Up, b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc1\x02\x01\0\xc2\x02\x01\x02\xc0\x01\x0a"),
    (Up, b"\0\0\0\x08\0\x03\0\0user\0"),
    (Down, b"RFB 003 008\n"),
    (Up, b"NICK fred\r\nJOIN #x\r\n"),
    (Down, b"\xff\xfb\x01hello"),
    (Down, b"\x4a\0\0\0\x0aversion\0\x08\0\0\0abcdefgh\0"),
];

fn stream() -> Conversation {
    Conversation::stream(9, Settings::default())
}

/// The service of a conversation, after each byte of something that is said last.
fn byte_by_byte(mut talk: Conversation, way: Direction, said: &[u8]) -> Vec<Option<&'static str>> {
    let after_each = |byte: &u8| {
        talk.say(way, 0, &[*byte]);
        talk.service()
    };
    said.iter().map(after_each).collect()
}

#[test]
fn each_is_known_whole_and_in_pieces_and_never_as_another() {
    for (service, way, said) in ALONE {
        let name = said.escape_ascii();
        assert_eq!(stream().say(*way, 0, said).service(), Some(*service), "{name}");
        let steps = byte_by_byte(stream(), *way, said);
        assert_eq!(steps.last(), Some(&Some(*service)), "{name}");
        assert!(steps.iter().all(|step| step.is_none_or(|step| step == *service)), "{name}");
    }
}

#[test]
fn a_wrong_beginning_is_nothing() {
    for (_, way, said) in ALONE {
        let spoiled = [b"~", *said].concat();
        assert_eq!(stream().say(*way, 0, &spoiled).service(), None, "{}", said.escape_ascii());
    }
}

#[test]
fn what_only_one_end_can_say_is_nothing_from_the_other() {
    for (service, way, said) in ALONE {
        let either = matches!(
            *service,
            "rsync"
                | "bittorrent"
                | "telnet"
                | "xmpp"
                | "sip"
                | "rtsp"
                | "kerberos"
                | "bgp"
                | "smb"
        );
        let expected = either.then_some(*service);
        let mut talk = stream();
        assert_eq!(talk.say(way.reverse(), 0, said).service(), expected, "{}", said.escape_ascii());
    }
}

#[test]
fn where_one_end_does_not_tell_both_do() {
    for (service, way, first, then) in TOGETHER {
        let name = format!("{} {}", first.escape_ascii(), then.escape_ascii());
        let mut talk = stream();
        assert_eq!(talk.say(*way, 0, first).service(), None, "{name}");
        assert_eq!(talk.say(way.reverse(), 0, then).service(), Some(*service), "{name}");
        let mut talk = stream();
        talk.say(*way, 0, first);
        let steps = byte_by_byte(talk, way.reverse(), then);
        assert_eq!(steps.last(), Some(&Some(*service)), "{name}");
        assert!(steps.iter().all(|step| step.is_none_or(|step| step == *service)), "{name}");
    }
}

#[test]
fn what_could_be_several_or_none_has_no_name() {
    for (way, said) in NOTHING {
        let mut talk = stream();
        assert_eq!(talk.say(*way, 0, said).end().service(), None, "{}", said.escape_ascii());
        assert!(byte_by_byte(stream(), *way, said).iter().all(Option::is_none));
    }
}

#[test]
fn datagrams_are_known_whole_and_not_when_cut() {
    for (service, way, said) in DATAGRAMS {
        let datagrams = || Conversation::datagrams(9, Settings::default());
        let name = said.escape_ascii();
        assert_eq!(datagrams().say(*way, 0, said).service(), Some(*service), "{name}");
        assert_eq!(datagrams().say(*way, 0, &said[..8]).service(), None, "{name}");
    }
}

#[test]
fn dhcp_and_ike_are_known_by_what_stands_far_inside() {
    let mut dhcp = vec![0; 244];
    dhcp[..3].copy_from_slice(&[1, 1, 6]);
    dhcp[236..240].copy_from_slice(b"\x63\x82\x53\x63");
    let mut ike = b"spi-spi-\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x24".to_vec();
    ike.extend([0; 8]);
    for (service, said) in [("dhcp", dhcp), ("ike", ike)] {
        let mut talk = Conversation::datagrams(9, Settings::default());
        assert_eq!(talk.up(&said).service(), Some(service));
    }
}

#[test]
fn a_client_that_never_decides_is_not_remembered_for_ever() {
    let mut talk = stream();
    for _ in 0..200 {
        talk.up(b"get key\r\n");
    }
    talk.down(b"\x01").down(b"END\r\n");
    assert_eq!((talk.service(), talk.protocols.buffered()), (None, 0));
}

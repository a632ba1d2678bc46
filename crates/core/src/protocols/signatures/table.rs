//! The table of signatures: what the ends of a connection say first, protocol by protocol.
//!
//! Only what is certain stands here: a wrong name is worse than none. Where the same words begin
//! several protocols ("220" is SMTP and FTP), both ends must have spoken.

use super::Said::{Both, Client, Either, Server};
use super::Signature;
use super::checks;
use super::part::Part::{Any, At, Be16, Be32, Byte, Check, Ends, Long, Says, Tagged, Word};
use crate::protocols::Service;
use crate::protocols::starttls;

/// Methods of SIP (RFC 3261 and its extensions).
const SIP_METHODS: &[&str] = &[
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "PRACK",
    "SUBSCRIBE",
    "NOTIFY",
    "PUBLISH",
    "INFO",
    "REFER",
    "MESSAGE",
    "UPDATE",
];

/// Methods of RTSP (RFC 2326).
const RTSP_METHODS: &[&str] = &[
    "OPTIONS",
    "DESCRIBE",
    "ANNOUNCE",
    "SETUP",
    "PLAY",
    "PAUSE",
    "TEARDOWN",
    "GET_PARAMETER",
    "SET_PARAMETER",
    "RECORD",
];

/// What FTP clients begin with.
const FTP_COMMANDS: &[&str] = &["USER", "AUTH", "FEAT", "SYST", "OPTS", "HOST", "CLNT"];

/// What POP3 clients begin with.
const POP3_COMMANDS: &[&str] = &["CAPA", "USER", "APOP", "AUTH", "STLS", "QUIT"];

/// What IMAP clients begin with.
const IMAP_COMMANDS: &[&str] =
    &["CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "ID", "NOOP", "LOGOUT"];

/// Streams, asked in this order.
pub(super) const STREAMS: &[Signature] = &[
    // Mail. RFC 5321, section 4.2: a greeting names the protocol, or else the client does.
    Signature::of(Service::Smtp, Server(&[Any(&[b"220 ", b"220-"]), Says("SMTP", "FTP")]))
        .followed_by(starttls::smtp),
    Signature::of(Service::Smtp, Client(&[Word(&["EHLO", "HELO"])])).followed_by(starttls::smtp),
    // RFC 3501, section 7.1.
    Signature::of(Service::Imap, Server(&[Any(&[b"* OK ", b"* PREAUTH "]), Says("IMAP", "")]))
        .followed_by(starttls::imap),
    Signature::of(
        Service::Imap,
        Both(&[Tagged(IMAP_COMMANDS)], &[Any(&[b"* OK ", b"* PREAUTH "])]),
    )
    .followed_by(starttls::imap),
    // RFC 1939. Redis says "+OK" too, but nothing after it.
    Signature::of(Service::Pop3, Server(&[At(0, b"+OK "), Says("POP", "")]))
        .followed_by(starttls::pop3),
    Signature::of(Service::Pop3, Both(&[Word(POP3_COMMANDS)], &[At(0, b"+OK ")]))
        .followed_by(starttls::pop3),
    // RFC 3977.
    Signature::of(Service::Nntp, Server(&[Any(&[b"200 ", b"201 "]), Says("NNTP", "")])),
    Signature::of(
        Service::Nntp,
        Both(&[Word(&["CAPABILITIES", "MODE", "GROUP"])], &[Any(&[b"200 ", b"201 "])]),
    ),
    // Files. RFC 959: as with SMTP.
    Signature::of(Service::Ftp, Server(&[Any(&[b"220 ", b"220-"]), Says("FTP", "SMTP")]))
        .followed_by(starttls::ftp),
    Signature::of(Service::Ftp, Both(&[Word(FTP_COMMANDS)], &[Any(&[b"220 ", b"220-"])]))
        .followed_by(starttls::ftp),
    Signature::of(Service::Smb, Either(&[Check(checks::smb)])),
    Signature::of(Service::Rsync, Either(&[At(0, b"@RSYNCD: "), Byte(9, b'0', b'9')])),
    Signature::of(Service::Bittorrent, Either(&[At(0, b"\x13BitTorrent protocol")])),
    Signature::of(Service::Git, Client(&[At(4, b"git-upload-pack /")])),
    Signature::of(Service::Git, Client(&[At(4, b"git-receive-pack /")])),
    // Screens and terminals. RFC 6143, section 7.1.1; RFC 854.
    Signature::of(Service::Vnc, Server(&[At(0, b"RFB 00"), At(7, b"."), At(11, b"\n")])),
    Signature::of(Service::Rdp, Client(&[Check(checks::rdp)])).followed_by(starttls::rdp),
    Signature::of(Service::Telnet, Either(&[Check(checks::telnet)])),
    // Messages.
    Signature::of(Service::Mqtt, Client(&[Check(checks::mqtt)])),
    Signature::of(Service::Amqp, Client(&[At(0, b"AMQP"), Byte(4, 0, 3), Byte(5, 0, 1)])),
    Signature::of(Service::Irc, Client(&[Check(checks::irc)])),
    Signature::of(Service::Xmpp, Either(&[At(0, b"<?xml "), Check(checks::xmpp)])),
    Signature::of(Service::Xmpp, Either(&[At(0, b"<stream:stream "), Check(checks::xmpp)])),
    // Calls. RFC 3261, section 7; RFC 2326, section 6.
    Signature::of(Service::Sip, Either(&[Word(SIP_METHODS), Ends(b" SIP/2.0")])),
    Signature::of(Service::Sip, Either(&[At(0, b"SIP/2.0 "), Byte(8, b'1', b'6'), At(11, b" ")])),
    Signature::of(Service::Rtsp, Either(&[Word(RTSP_METHODS), Ends(b" RTSP/1.0")])),
    Signature::of(Service::Rtsp, Either(&[At(0, b"RTSP/1.0 "), Byte(9, b'1', b'5')])),
    // Databases and caches.
    Signature::of(Service::Redis, Client(&[Check(checks::redis)])),
    Signature::of(Service::Redis, Both(&[At(0, b"PING\r\n")], &[At(0, b"+PONG\r\n")])),
    // PostgreSQL: requests for TLS, for GSSAPI and to cancel; start of version 3 with a first name.
    Signature::of(
        Service::Postgresql,
        Client(&[At(0, b"\0\0\0\x08\x04\xd2\x16"), Byte(7, 0x2f, 0x30)]),
    )
    .followed_by(starttls::postgresql),
    Signature::of(Service::Postgresql, Client(&[At(0, b"\0\0\0\x10\x04\xd2\x16\x2e")])),
    Signature::of(
        Service::Postgresql,
        Client(&[Be32(0, 10, 10_000), At(4, b"\0\x03\0"), Byte(7, 0, 2), Byte(8, b'_', b'z')]),
    ),
    Signature::of(Service::Mysql, Server(&[Check(checks::mysql)])).followed_by(starttls::mysql),
    Signature::of(Service::Mssql, Client(&[Check(checks::mssql)])),
    Signature::of(Service::Mongodb, Client(&[Check(checks::mongodb)])),
    Signature::of(
        Service::Memcached,
        Both(&[Word(&["get", "gets"])], &[Any(&[b"VALUE ", b"END\r\n"])]),
    ),
    Signature::of(Service::Memcached, Both(&[Word(&["set", "add"])], &[At(0, b"STORED\r\n")])),
    Signature::of(Service::Memcached, Both(&[Word(&["version"])], &[At(0, b"VERSION ")])),
    Signature::of(Service::Memcached, Both(&[Word(&["stats"])], &[At(0, b"STAT ")])),
    // Directories and networks. RFC 4511; RFC 4120; RFC 4271, section 4.2.
    Signature::of(Service::Ldap, Client(&[Check(checks::ldap)])),
    Signature::of(Service::Kerberos, Either(&[Check(checks::kerberos_stream)])),
    Signature::of(
        Service::Bgp,
        Either(&[At(0, &[0xff; 16]), Be16(16, 29, 4096), At(18, b"\x01\x04")]),
    ),
];

/// Datagrams, asked in this order. NTP is not here: its content alone cannot tell.
pub(super) const DATAGRAMS: &[Signature] = &[
    Signature::of(Service::Sip, Either(&[Word(SIP_METHODS), Ends(b" SIP/2.0")])),
    Signature::of(Service::Sip, Either(&[At(0, b"SIP/2.0 "), Byte(8, b'1', b'6'), At(11, b" ")])),
    // UPnP Device Architecture, section 1: HTTP's words in datagrams.
    Signature::of(
        Service::Ssdp,
        Either(&[Any(&[
            b"M-SEARCH * HTTP/1.1\r\n",
            b"NOTIFY * HTTP/1.1\r\n",
            b"HTTP/1.1 200 OK\r\n",
        ])]),
    ),
    // RFC 8489, section 5.
    Signature::of(Service::Stun, Either(&[Byte(0, 0, 1), At(4, b"\x21\x12\xa4\x42"), Long(2, 20)])),
    // A handshake in epoch 0 (RFC 6347, section 4.1).
    Signature::of(
        Service::Dtls,
        Either(&[At(0, b"\x16\xfe"), Byte(2, 0xfd, 0xff), At(3, &[0; 7]), Byte(13, 1, 3)]),
    ),
    Signature::of(Service::Snmp, Either(&[Check(checks::snmp)])),
    Signature::of(Service::Ldap, Client(&[Check(checks::ldap)])),
    Signature::of(Service::Kerberos, Either(&[Check(checks::kerberos)])),
    Signature::of(Service::Radius, Either(&[Check(checks::radius)])),
    Signature::of(Service::Ike, Either(&[Check(checks::ike)])),
    Signature::of(Service::Nbns, Either(&[Check(checks::netbios_question)])),
    Signature::of(Service::Syslog, Either(&[Check(checks::syslog)])),
    Signature::of(Service::Tftp, Client(&[Check(checks::tftp)])),
    // BEP 5: a dictionary of arguments or of results, whose first key is an identifier.
    Signature::of(Service::Bittorrent, Either(&[Any(&[b"d1:ad2:id20:", b"d1:rd2:id20:"])])),
];

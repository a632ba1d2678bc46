//! The names that `conn.service` can have.

/// An application protocol, recognised by what was said.
macro_rules! services {
    ($($name:ident => $text:literal,)+) => {
        /// An application protocol, recognised by what was said.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Service {
            $(
                #[doc = concat!("`", $text, "`")]
                $name,
            )+
        }

        impl Service {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As column `service` has it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// The protocol of a name.
            pub fn of(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|service| service.name() == name)
            }
        }
    };
}

services! {
    Amqp => "amqp",
    Bgp => "bgp",
    Bittorrent => "bittorrent",
    Dhcp => "dhcp",
    Dns => "dns",
    Dtls => "dtls",
    Ftp => "ftp",
    Git => "git",
    Http => "http",
    Http2 => "http2",
    Ike => "ike",
    Imap => "imap",
    Irc => "irc",
    Kerberos => "kerberos",
    Ldap => "ldap",
    Llmnr => "llmnr",
    Mdns => "mdns",
    Memcached => "memcached",
    Mongodb => "mongodb",
    Mqtt => "mqtt",
    Mssql => "mssql",
    Mysql => "mysql",
    Nbns => "nbns",
    Nntp => "nntp",
    Pop3 => "pop3",
    Postgresql => "postgresql",
    Quic => "quic",
    Radius => "radius",
    Rdp => "rdp",
    Redis => "redis",
    Rsync => "rsync",
    Rtsp => "rtsp",
    Sip => "sip",
    Smb => "smb",
    Smtp => "smtp",
    Snmp => "snmp",
    Ssdp => "ssdp",
    Ssh => "ssh",
    Stun => "stun",
    Syslog => "syslog",
    Telnet => "telnet",
    Tftp => "tftp",
    Tls => "tls",
    Vnc => "vnc",
    Websocket => "websocket",
    Xmpp => "xmpp",
}

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
            /// As column `service` has it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

services! {
    Dns => "dns",
    Ftp => "ftp",
    Http => "http",
    Http2 => "http2",
    Imap => "imap",
    Llmnr => "llmnr",
    Mdns => "mdns",
    Mqtt => "mqtt",
    Mysql => "mysql",
    Pop3 => "pop3",
    Postgresql => "postgresql",
    Quic => "quic",
    Rdp => "rdp",
    Redis => "redis",
    Sip => "sip",
    Smb => "smb",
    Smtp => "smtp",
    Ssh => "ssh",
    Tls => "tls",
    Vnc => "vnc",
    Websocket => "websocket",
}

//! Table `tls`: one row per TLS or QUIC handshake.

use super::{Bool, Opt, Said, Text, Texts, Time, U16, table};

table! {
    /// One TLS handshake, over TCP or inside QUIC, as far as it is in clear.
    "tls", TlsRow, TlsTable {
        /// When the ClientHello's first byte was seen; the ServerHello's where that was not seen.
        ts: Time,
        /// The connection.
        uid: Text,
        /// Name of the observer.
        sensor: Text,
        /// Interface the connection was first seen on.
        iface: Text,
        /// Address of the client.
        src_ip: Text,
        /// Port of the client.
        src_port: U16,
        /// Address of the server.
        dst_ip: Text,
        /// Port of the server.
        dst_port: U16,
        /// tcp, or quic.
        transport: Text,
        /// Server name the client asked for (SNI); with Encrypted Client Hello the name in clear, which may hide the site's.
        sni: Opt<Said>,
        /// Version the server chose: SSLv3, TLSv1.0, TLSv1.1, TLSv1.2, TLSv1.3, TLSv1.3-draft18 and the like, or in hexadecimal.
        version: Opt<Text>,
        /// Cipher suite the server chose, by its IANA name or in hexadecimal.
        cipher: Opt<Text>,
        /// Application protocol the server chose (ALPN); in TLS 1.3 that is encrypted, and this is NULL.
        alpn: Opt<Said>,
        /// Highest version the client offered.
        client_version: Opt<Text>,
        /// Versions the client offered, in its order.
        client_versions: Opt<Texts>,
        /// Cipher suites the client offered, in its order, GREASE left out.
        client_ciphers: Opt<Texts>,
        /// Application protocols the client offered, in its order.
        client_alpn: Opt<Texts>,
        /// JA4 fingerprint of the ClientHello (FoxIO's specification); of the first one, where the server asked for another; NULL for a hello in the form of SSL 2.0.
        ja4: Opt<Text>,
        /// Whether an earlier session was resumed; NULL where no reply was seen.
        resumed: Opt<Bool>,
        /// Whether the ClientHello carried an Encrypted Client Hello, GREASE included: an observer cannot tell them apart.
        ech: Bool,
        /// Subject of the server's certificate, where it is in clear (up to TLS 1.2), as RFC 4514 writes it: CN=www.example.org,O=Example,C=XX.
        subject: Opt<Said>,
        /// Issuer of the server's certificate, in the same form.
        issuer: Opt<Said>,
        /// From when the server's certificate is valid; NULL also for times beyond 1677 to 2262, such as year 9999.
        not_before: Opt<Time>,
        /// Until when the server's certificate is valid, likewise.
        not_after: Opt<Time>,
        /// DNS names the server's certificate is for.
        certificate_names: Opt<Texts>,
        /// QUIC version: 1, 2, or in hexadecimal.
        quic_version: Opt<Text>,
        /// First fatal alert seen in clear, such as fatal handshake_failure, or else the first warning.
        alert: Opt<Text>,
        /// Whether both directions were seen to go on to encryption: ChangeCipherSpec, in TLS 1.3 encrypted data after the hellos.
        established: Bool,
    }
}

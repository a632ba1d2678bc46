//! Table `ssh`: one row per SSH connection, with what both sides call themselves.

use super::{Opt, Said, Text, Time, U16, table};

table! {
    /// One SSH connection's identification strings (RFC 4253, section 4.2).
    "ssh", SshRow, SshTable {
        /// When the first of the two was seen.
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
        /// What the client said, such as SSH-2.0-OpenSSH_9.2.
        client: Opt<Said>,
        /// What the server said.
        server: Opt<Said>,
    }
}

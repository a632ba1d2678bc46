//! Table `packet`, off by default: one row per packet, as a packet list shows it.

use super::{Opt, Text, Time, U8, U16, U32, table};

table! {
    /// One IP packet (of a tunnelled one, also the inner).
    "packet", PacketRow, PacketTable {
        /// When it was seen (UTC, nanoseconds).
        ts: Time,
        /// The connection it belongs to.
        uid: Text,
        /// Interface it was seen on.
        iface: Text,
        /// Sender's address.
        src_ip: Text,
        /// Sender's port; the type for ICMP.
        src_port: U16,
        /// Receiver's address.
        dst_ip: Text,
        /// Receiver's port; for ICMP the type that answers, or the code where none does.
        dst_port: U16,
        /// Transport.
        proto: Text,
        /// IP bytes on the wire.
        length: U32,
        /// What it says, in a few words.
        info: Text,
        /// TCP sequence number.
        tcp_seq: Opt<U32>,
        /// Time to live, or hop limit.
        ttl: U8,
        /// Transport payload bytes on the wire.
        payload_size: U32,
        /// The payload's first bytes, escaped; only when asked for.
        excerpt: Opt<Text>,
    }
}

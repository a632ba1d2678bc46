//! Table `dns`: one row per DNS question, with its answer if there was one.

use super::{Bool, Opt, Said, Seconds, Text, Texts, Time, U16, U32s, table};

table! {
    /// One DNS question and its answer, over UDP or TCP, mDNS and LLMNR included.
    "dns", DnsRow, DnsTable {
        /// When the query was seen; the reply where the query was not seen.
        ts: Time,
        /// The connection.
        uid: Text,
        /// Name of the observer.
        sensor: Text,
        /// Interface the connection was first seen on.
        iface: Text,
        /// Address of the end that asked (mDNS announcements: that spoke).
        src_ip: Text,
        /// Port of the end that asked.
        src_port: U16,
        /// Address of the end that was asked.
        dst_ip: Text,
        /// Port of the end that was asked.
        dst_port: U16,
        /// How it was asked: udp, tcp, mdns, llmnr.
        transport: Text,
        /// The message's identifier.
        trans_id: U16,
        /// Operation by name: QUERY, NOTIFY, UPDATE, STATUS, or OPCODE and its number.
        opcode: Text,
        /// Name that was asked for, without the final dot; the root is a dot. A dot or backslash within a label has a backslash before it. Without a question (multicast announcements), the first answer's.
        query: Opt<Said>,
        /// Type that was asked for, by name: A, AAAA, HTTPS, or TYPE and its number.
        qtype: Opt<Text>,
        /// Class that was asked for, by name: IN, CH, or CLASS and its number.
        qclass: Opt<Text>,
        /// Response code by name: NOERROR, NXDOMAIN, or RCODE and its number; NULL without a reply.
        rcode: Opt<Text>,
        /// Data of the answer section's records, in order, as their types are written; NULL without a reply.
        answers: Opt<Texts>,
        /// Times to live of the same records, in seconds.
        ttls: Opt<U32s>,
        /// Types of the same records, by name.
        answer_types: Opt<Texts>,
        /// Records in the answer section, as the reply's header counts them; the lists above hold the first ones, up to 16 KiB of text. NULL without a reply.
        answer_count: Opt<U16>,
        /// Seconds from query to reply.
        rtt: Opt<Seconds>,
        /// Whether the reply comes from an authority of the name.
        authoritative: Bool,
        /// Whether the reply was cut to fit.
        truncated: Bool,
        /// Whether recursion was desired.
        recursion_desired: Bool,
        /// Whether recursion is available.
        recursion_available: Bool,
        /// UDP payload size that EDNS announced in the query; NULL without EDNS.
        edns_size: Opt<U16>,
        /// Whether EDNS asked for DNSSEC records (DO); NULL without EDNS.
        dnssec_ok: Opt<Bool>,
    }
}

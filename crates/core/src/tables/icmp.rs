//! Table `icmp`: one row per echo request with its reply, and per ICMP error or other message.

use super::{Bool, Opt, Seconds, Text, Time, U8, U16, U32, table};

table! {
    /// One ping (an echo request and its reply), or one ICMP message of another kind.
    "icmp", IcmpRow, IcmpTable {
        /// When the request, or the message, was seen; the reply where its request was not seen.
        ts: Time,
        /// The connection: all pings between two hosts within its timeout.
        uid: Text,
        /// Name of the observer.
        sensor: Text,
        /// Interface the connection was first seen on.
        iface: Text,
        /// Address of the end that asked (of echo replies too), or sent the message.
        src_ip: Text,
        /// Address of the end that was asked, or got the message.
        dst_ip: Text,
        /// icmp, or icmp6.
        proto: Text,
        /// What it is: echo (a request, answered or not), echo_reply (one whose request was not seen, or a further one), unreachable, time_exceeded, redirect, packet_too_big, parameter_problem, …, or type and its number.
        kind: Text,
        /// The ICMP type.
        icmp_type: U8,
        /// The ICMP code.
        icmp_code: U8,
        /// What the code means, for errors: port, host, network, …; NULL where it means nothing.
        code_name: Opt<Text>,
        /// Echo identifier.
        echo_id: Opt<U16>,
        /// Echo sequence number.
        echo_seq: Opt<U16>,
        /// Bytes of payload after the ICMP header.
        payload: U32,
        /// Time to live of the reply, else of the message.
        ttl: U8,
        /// Seconds from request to reply; NULL without both.
        rtt: Opt<Seconds>,
        /// Whether an echo request was answered; NULL for what is no echo request.
        answered: Opt<Bool>,
        /// The connection an error speaks of, if it is known.
        about_uid: Opt<Text>,
        /// Transport of the packet an error speaks of.
        about_proto: Opt<Text>,
        /// Sender of the packet an error speaks of.
        about_src_ip: Opt<Text>,
        /// Its port.
        about_src_port: Opt<U16>,
        /// Receiver of the packet an error speaks of.
        about_dst_ip: Opt<Text>,
        /// Its port.
        about_dst_port: Opt<U16>,
    }
}

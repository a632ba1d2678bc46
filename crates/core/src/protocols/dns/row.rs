//! A question and its reply as a row of table `dns`.

use super::answer::Answers;
use super::message::{Edns, Header};
use super::types;
use crate::flow::Direction;
use crate::packet::{Nanos, seconds_between};
use crate::protocols::{Context, Service};
use crate::tables::dns::DnsRow;

/// What a row says of a question.
pub(super) struct Asking<'a> {
    pub(super) ts: Nanos,
    /// Which way the end speaks that asked.
    pub(super) from_client: Direction,
    pub(super) header: Header,
    pub(super) name: Option<&'a [u8]>,
    /// Type and class.
    pub(super) kind: Option<(u16, u16)>,
    pub(super) edns: Option<Edns>,
}

/// What a row says of a reply.
pub(super) struct Replying<'a> {
    pub(super) ts: Nanos,
    pub(super) header: Header,
    /// The response code, its upper bits included.
    pub(super) rcode: u16,
    pub(super) answers: &'a Answers,
    /// Answers that the header announces.
    pub(super) count: u16,
}

impl Asking<'_> {
    /// Adds the row of a question and its reply; `timed` if both were seen.
    pub(super) fn write(
        &self,
        reply: Option<&Replying<'_>>,
        timed: bool,
        context: &mut Context<'_>,
    ) {
        let transport = transport(context);
        // Of a class, multicast DNS has the upper bit for itself (RFC 6762, sections 5.4 and 10.2).
        let mask = if transport == "mdns" { 0x7fff } else { 0xffff };
        let rtt = reply.filter(|_| timed).map(|reply| seconds_between(self.ts, reply.ts));
        let ends = context.ends(self.from_client);
        context.rows.dns.push(&DnsRow {
            ts: self.ts,
            uid: &ends.uid,
            sensor: ends.sensor,
            iface: ends.iface,
            src_ip: &ends.src_ip,
            src_port: ends.src_port,
            dst_ip: &ends.dst_ip,
            dst_port: ends.dst_port,
            transport,
            trans_id: self.header.id,
            opcode: &types::opcode_name(self.header.opcode()),
            query: self.name,
            qtype: self.kind.map(|kind| types::type_name(kind.0)).as_deref(),
            qclass: self.kind.map(|kind| types::class_name(kind.1 & mask)).as_deref(),
            rcode: reply.map(|reply| types::rcode_name(reply.rcode)).as_deref(),
            answers: reply.map(|reply| reply.answers.data.as_slice()),
            ttls: reply.map(|reply| reply.answers.ttls.as_slice()),
            answer_types: reply.map(|reply| reply.answers.types.as_slice()),
            answer_count: reply.map(|reply| reply.count),
            rtt,
            authoritative: reply.is_some_and(|reply| reply.header.authoritative()),
            truncated: reply.is_some_and(|reply| reply.header.truncated()),
            recursion_desired: self.header.recursion_desired(),
            recursion_available: reply.is_some_and(|reply| reply.header.recursion_available()),
            edns_size: self.edns.map(|edns| edns.size),
            dnssec_ok: self.edns.map(|edns| edns.dnssec_ok),
        });
    }
}

fn transport(context: &Context<'_>) -> &'static str {
    match context.flow.service {
        Some(Service::Mdns) => "mdns",
        Some(Service::Llmnr) => "llmnr",
        _ if context.flow.key.proto == 6 => "tcp",
        _ => "udp",
    }
}

//! A flow as a row of `conn`, and a segment as a row of `packet`.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use arrayvec::ArrayString;

use super::identity::community_id;
use super::tcp::conn_state;
use super::{EndReason, Flow, Side, UNKNOWN, ports};
use crate::capture::Interface;
use crate::decode::{Address, Segment, Transport, Tunnel, as_ipv4};
use crate::packet::{Nanos, seconds, seconds_between};
use crate::protocols::Service;
use crate::tables::conn::{ConnRow, ConnTable};
use crate::tables::packet::{PacketRow, PacketTable};

/// Where rows were seen.
#[derive(Clone, Copy)]
pub struct Observed<'a> {
    /// Name of the observer.
    pub sensor: &'a str,
    /// The source's interfaces.
    pub interfaces: &'a [Interface],
}

impl<'a> Observed<'a> {
    /// The name of an interface.
    pub fn iface(&self, index: u16) -> &'a str {
        self.interfaces.get(usize::from(index)).map_or("", |interface| &interface.name)
    }
}

/// What a relay knows of a connection that went through it.
#[derive(Clone, Copy, Default)]
pub struct Relayed<'a> {
    /// The service that took it.
    pub service: &'a str,
    /// The rule that chose its backend.
    pub rule: Option<&'a str>,
    /// Why it ended.
    pub cause: Option<&'a str>,
}

/// Adds a captured connection to the table `conn`.
pub fn conn_row(
    table: &mut ConnTable,
    flow: &Flow,
    end: Option<EndReason>,
    observed: &Observed<'_>,
) {
    any_row(table, flow, end, None, observed);
}

/// Adds a relayed connection to the table `conn`: no packets were seen of it.
pub fn relayed_row(
    table: &mut ConnTable,
    flow: &Flow,
    end: Option<EndReason>,
    relayed: Relayed<'_>,
    observed: &Observed<'_>,
) {
    any_row(table, flow, end, Some(relayed), observed);
}

#[inline]
fn any_row(
    table: &mut ConnTable,
    flow: &Flow,
    end: Option<EndReason>,
    relayed: Option<Relayed<'_>>,
    observed: &Observed<'_>,
) {
    let seen = |count: u64| relayed.is_none().then_some(count);
    let (src, dst) = flow.ends();
    let extra = flow.extra();
    let tcp = flow.key.proto == 6;
    let tunnel_uid = extra.and_then(|extra| extra.tunnel_uid);
    let [up_missed, down_missed] = extra.map_or([0; 2], |extra| extra.missed);
    let [up_out_of_order, down_out_of_order] = extra.map_or([0; 2], |extra| extra.out_of_order);
    let [up_zero_windows, down_zero_windows] = extra.map_or([0; 2], |extra| extra.zero_windows);
    let name = flow.talk.as_ref().and_then(|talk| talk.name.as_ref());
    table.push(&ConnRow {
        ts: flow.first,
        last_ts: flow.last,
        uid: &flow.uid(),
        community_id: Some(&community_id(&flow.key, src, dst)),
        sensor: observed.sensor,
        iface: observed.iface(flow.iface),
        proto: &protocol_name(flow.key.proto),
        src_ip: &address_text(&src.0),
        src_port: src.1,
        dst_ip: &address_text(&dst.0),
        dst_port: dst.1,
        vlan: (flow.vlan != 0).then_some(flow.vlan),
        tunnel: tunnel_name(flow.key.tunnel),
        tunnel_uid: tunnel_uid.as_ref().map(ArrayString::as_str),
        service: flow.service.map(Service::name),
        name: name.map(|name| &*name.text),
        name_source: name.map(|name| name.source.name()),
        name_age: name.map(|name| seconds_between(name.ts, flow.first)),
        state: if end.is_some() { "closed" } else { "active" },
        conn_state: conn_state(flow),
        history: std::str::from_utf8(&flow.history).unwrap_or(""),
        end_reason: end.map(EndReason::name),
        duration: seconds_between(flow.first, flow.last),
        up_packets: seen(flow.up.packets),
        up_bytes: seen(flow.up.bytes),
        up_payload: flow.up.payload,
        up_retransmits: flow.up.retransmits,
        up_out_of_order,
        up_zero_windows,
        up_missed,
        up_flags: flags(&flow.up, tcp).as_deref(),
        up_ttl: ttl(&flow.up),
        down_packets: seen(flow.down.packets),
        down_bytes: seen(flow.down.bytes),
        down_payload: flow.down.payload,
        down_retransmits: flow.down.retransmits,
        down_out_of_order,
        down_zero_windows,
        down_missed,
        down_flags: flags(&flow.down, tcp).as_deref(),
        down_ttl: ttl(&flow.down),
        rtt_client: known(flow.rtt_client),
        rtt_server: known(flow.rtt_server),
        relay_service: relayed.map(|relayed| relayed.service),
        relay_rule: relayed.and_then(|relayed| relayed.rule),
        relay_cause: relayed.and_then(|relayed| relayed.cause),
    });
}

/// Adds a segment to the table `packet`, with at most `excerpt` bytes of its payload.
pub fn packet_row(
    table: &mut PacketTable,
    segment: &Segment<'_>,
    flow: &Flow,
    excerpt: usize,
    observed: &Observed<'_>,
) {
    let (src_port, dst_port) = ports(segment);
    let head = segment.payload.get(..excerpt.min(segment.payload.len())).unwrap_or_default();
    let text = (excerpt > 0).then(|| head.escape_ascii().to_string());
    table.push(&PacketRow {
        ts: segment.ts,
        uid: &flow.uid(),
        iface: observed.iface(segment.iface),
        src_ip: &address_text(&segment.src),
        src_port,
        dst_ip: &address_text(&segment.dst),
        dst_port,
        proto: &protocol_name(segment.proto),
        length: segment.ip_bytes,
        info: &info(segment),
        tcp_seq: match segment.transport {
            Transport::Tcp(tcp) => Some(tcp.seq),
            _ => None,
        },
        ttl: segment.ttl,
        payload_size: segment.payload_len,
        excerpt: text.as_deref(),
    });
}

/// A segment in a few words.
fn info(segment: &Segment<'_>) -> String {
    let (src_port, dst_port) = ports(segment);
    match segment.transport {
        Transport::Tcp(tcp) => format!(
            "{src_port} > {dst_port} [{}] seq={} ack={} win={} len={}",
            flag_letters(tcp.flags),
            tcp.seq,
            tcp.ack,
            tcp.window,
            segment.payload_len
        ),
        Transport::Udp => format!("{src_port} > {dst_port} len={}", segment.payload_len),
        Transport::Icmp { id, seq } => {
            let kind = segment.src_port;
            match (segment.proto, kind) {
                (1, 8) | (58, 128) => format!("echo request id={id} seq={seq}"),
                (1, 0) | (58, 129) => format!("echo reply id={id} seq={seq}"),
                _ => format!("type {kind} code {}", segment.dst_port),
            }
        }
        Transport::Other => format!("{} bytes", segment.payload_len),
    }
}

/// An address as text; a mapped IPv4 one in its own form.
pub fn address_text(address: &Address) -> ArrayString<45> {
    let mut text = ArrayString::new();
    match as_ipv4(address) {
        Some(short) => push_ipv4(&mut text, short),
        // 45 bytes hold every IPv6 address.
        None => drop(write!(text, "{}", Ipv6Addr::from(*address))),
    }
    text
}

/// Writes dotted decimals without the general formatter: every row has two.
fn push_ipv4(text: &mut ArrayString<45>, octets: [u8; 4]) {
    for (position, octet) in octets.into_iter().enumerate() {
        if position > 0 {
            text.push('.');
        }
        if octet >= 100 {
            text.push(char::from(b'0' + octet / 100));
        }
        if octet >= 10 {
            text.push(char::from(b'0' + octet / 10 % 10));
        }
        text.push(char::from(b'0' + octet % 10));
    }
}

/// A protocol's usual name, or `ip-` and its number (IANA, Protocol Numbers).
pub fn protocol_name(proto: u8) -> ArrayString<8> {
    let name = match proto {
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        41 => "ipv6",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmp6",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        132 => "sctp",
        136 => "udplite",
        _ => "",
    };
    ArrayString::from(name).ok().filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let mut text = ArrayString::new();
        // `ip-255` is the longest.
        let _ = write!(text, "ip-{proto}");
        text
    })
}

fn tunnel_name(tunnel: Tunnel) -> Option<&'static str> {
    match tunnel {
        Tunnel::None => None,
        Tunnel::IpInIp => Some("ipip"),
        Tunnel::SixInFour => Some("6in4"),
        Tunnel::Gre => Some("gre"),
        Tunnel::Vxlan(_) => Some("vxlan"),
    }
}

fn flag_letters(flags: u8) -> ArrayString<8> {
    let letters = "FSRPAUEC".chars().enumerate();
    letters.filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, letter)| letter).fold(
        ArrayString::new(),
        |mut text, letter| {
            text.push(letter);
            text
        },
    )
}

fn flags(side: &Side, tcp: bool) -> Option<ArrayString<8>> {
    (tcp && side.packets > 0).then(|| flag_letters(side.flags))
}

fn ttl(side: &Side) -> Option<u8> {
    (side.packets > 0).then_some(side.ttl)
}

fn known(span: Nanos) -> Option<f64> {
    (span != UNKNOWN).then(|| seconds(span))
}

//! How a connection begins: its first segment, and which end opened it.

use super::key::{FlowKey, icmp_is_request, icmp_reply};
use super::timers::Timer;
use super::{Extra, Flow, History, Side, UNKNOWN, Uid};
use crate::decode::{Address, Segment, Tcp, Transport, Tunnel, as_ipv4, is_multicast};
use crate::packet::Nanos;

/// A connection that has seen nothing yet, not even the segment it is made for.
pub(super) fn new_flow(
    segment: &Segment<'_>,
    key: FlowKey,
    low_opened: bool,
    carrier: Option<Uid>,
    generation: u8,
) -> Flow {
    let extra = carrier.map(|uid| Box::new(Extra { tunnel_uid: Some(uid), ..Extra::default() }));
    Flow {
        key,
        first: segment.ts,
        last: segment.ts,
        up: Side::default(),
        down: Side::default(),
        rtt_server: UNKNOWN,
        rtt_client: UNKNOWN,
        extra,
        talk: None,
        timer: Timer::default(),
        iface: segment.iface,
        vlan: segment.vlan,
        history: History::new(),
        service: None,
        deaf: false,
        low_opened,
        generation,
        alive: true,
    }
}

impl Flow {
    /// A connection that no packet was seen of: of a relay, or of a test. It has sent nothing yet,
    /// so its streams begin with the first bytes that are heard.
    pub fn between(src: (Address, u16), dst: (Address, u16), proto: u8, first: Nanos) -> Self {
        let segment = Segment {
            ts: first,
            iface: 0,
            vlan: 0,
            src: src.0,
            dst: dst.0,
            src_port: src.1,
            dst_port: dst.1,
            proto,
            ttl: 0,
            tunnel: Tunnel::None,
            packets: 0,
            ip_bytes: 0,
            payload_len: 0,
            payload: &[],
            transport: Transport::Other,
            checksum_ok: true,
        };
        let (key, from_low) = FlowKey::of(&segment);
        new_flow(&segment, key, from_low, None, 0)
    }
}

/// Whether a connection's first segment is an answer whose question was not seen, as far
/// as flags, types and ports tell.
pub(super) fn is_reply(segment: &Segment<'_>) -> bool {
    match segment.transport {
        Transport::Tcp(tcp) if tcp.flags & Tcp::SYN != 0 => tcp.flags & Tcp::ACK != 0,
        Transport::Tcp(_) => from_service(segment),
        Transport::Udp => from_service(segment) && !goes_to_many(segment),
        Transport::Icmp { .. } => {
            let (kind, proto) = (segment.src_port, segment.proto);
            icmp_reply(proto, kind).is_some() && !icmp_is_request(proto, kind)
        }
        Transport::Other => false,
    }
}

/// Whether the sender's port is a service's and the receiver's is not: well-known ports
/// below 1024, and the receiver's from where systems choose a client's (RFC 6335).
fn from_service(segment: &Segment<'_>) -> bool {
    segment.src_port < 1024 && segment.dst_port >= 1024
}

/// Whether a datagram goes to many; to a network's broadcast address, as it looks in most of them.
fn goes_to_many(segment: &Segment<'_>) -> bool {
    let broadcast = |[_, _, _, last]: [u8; 4]| last == 255;
    is_multicast(&segment.dst) || as_ipv4(&segment.dst).is_some_and(broadcast)
}

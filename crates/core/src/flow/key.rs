//! What makes two packets the same connection: addresses, ports, protocol and tunnel.

use crate::decode::{Address, ICMP6, Segment, Transport, Tunnel};

/// The two ends of a connection in canonical order, so that both directions give one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowKey {
    /// The lower end's address.
    pub low: Address,
    /// The higher end's address.
    pub high: Address,
    /// The lower end's port.
    pub low_port: u16,
    /// The higher end's port.
    pub high_port: u16,
    /// IP protocol number.
    pub proto: u8,
    /// What carried it: the same addresses inside and outside a tunnel are two connections.
    pub tunnel: Tunnel,
}

impl FlowKey {
    /// The key of a segment, and whether its sender is the lower end.
    #[inline]
    pub fn of(segment: &Segment<'_>) -> (Self, bool) {
        let (src_port, dst_port) = ports(segment);
        let (src, dst) = ((segment.src, src_port), (segment.dst, dst_port));
        Self::between(src, dst, segment.proto, segment.tunnel)
    }

    /// The key of a connection, and whether the first of its two ends is the lower one.
    #[inline]
    pub fn between(
        src: (Address, u16),
        dst: (Address, u16),
        proto: u8,
        tunnel: Tunnel,
    ) -> (Self, bool) {
        let src = (u128::from_be_bytes(src.0), src.1);
        let dst = (u128::from_be_bytes(dst.0), dst.1);
        let from_low = src <= dst;
        let (low, high) = if from_low { (src, dst) } else { (dst, src) };
        let key = Self {
            low: low.0.to_be_bytes(),
            high: high.0.to_be_bytes(),
            low_port: low.1,
            high_port: high.1,
            proto,
            tunnel,
        };
        (key, from_low)
    }

    /// A hash that an attacker without the seed cannot aim: two rounds of folded
    /// multiplication over secret-mixed words. It chooses places in memory, never output.
    /// The seed is in both factors: one that could be made zero would forget the other.
    #[inline]
    pub fn hash(&self, seed: u64) -> u64 {
        let low = u128::from_be_bytes(self.low);
        let high = u128::from_be_bytes(self.high);
        let ports = u64::from(self.low_port) << 48
            | u64::from(self.high_port) << 32
            | u64::from(self.proto) << 24;
        let [first, second] = [seed.rotate_left(23) ^ SECRET[0], seed.rotate_left(47) ^ SECRET[1]];
        let mut hash = fold(low as u64 ^ seed, (low >> 64) as u64 ^ first);
        hash = fold(high as u64 ^ hash, (high >> 64) as u64 ^ second);
        fold(hash ^ ports ^ self.tunnel.scope(), seed ^ SECRET[2])
    }
}

/// Odd constants with evenly spread bits (the fraction digits of pi).
pub(super) const SECRET: [u64; 3] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1];

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

impl Tunnel {
    /// A number that differs between tunnels whose inner addresses may repeat.
    #[inline]
    fn scope(self) -> u64 {
        match self {
            Self::None => 0,
            Self::IpInIp => 1 << 56,
            Self::SixInFour => 2 << 56,
            Self::Gre => 3 << 56,
            Self::Vxlan(network) => 4 << 56 | u64::from(network),
        }
    }
}

/// Sender's and receiver's port. ICMP has none: a request carries its type and that of its
/// reply, a reply the same reversed, so that both are one connection; a message that expects
/// no reply carries type and code (as Zeek and Community ID do).
#[inline]
pub fn ports(segment: &Segment<'_>) -> (u16, u16) {
    match segment.transport {
        Transport::Icmp { .. } => icmp_ports(segment.proto, segment.src_port, segment.dst_port),
        _ => (segment.src_port, segment.dst_port),
    }
}

/// What an ICMP message of this type and code has in place of ports.
#[inline]
pub fn icmp_ports(proto: u8, kind: u16, code: u16) -> (u16, u16) {
    (kind, icmp_reply(proto, kind).unwrap_or(code))
}

/// The type that answers, or is answered by, an ICMP type; `None` for one-way messages
/// (Community ID specification, section on ICMP).
pub(super) fn icmp_reply(proto: u8, kind: u16) -> Option<u16> {
    let pairs: &[(u16, u16)] = if proto == ICMP6 {
        &[(128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145)]
    } else {
        &[(8, 0), (10, 9), (13, 14), (15, 16), (17, 18)]
    };
    pairs.iter().find_map(|&(request, reply)| match kind {
        _ if kind == request => Some(reply),
        _ if kind == reply => Some(request),
        _ => None,
    })
}

/// Whether an ICMP type asks for a reply.
pub(super) fn icmp_is_request(proto: u8, kind: u16) -> bool {
    let requests: &[u16] =
        if proto == ICMP6 { &[128, 130, 133, 135, 139, 144] } else { &[8, 10, 13, 15, 17] };
    requests.contains(&kind)
}

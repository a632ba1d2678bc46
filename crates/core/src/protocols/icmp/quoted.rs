//! The packet that an ICMP error quotes: its IP header and the first bytes after it.

use crate::decode::{Address, ICMP, ICMP6, Segment, Tunnel, mapped};
use crate::flow::{FlowKey, icmp_ports};

/// Extension headers that are walked.
const MOST_HEADERS: u8 = 8;

/// Who sent the packet to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Sender.
    pub src: Address,
    /// Receiver.
    pub dst: Address,
    /// IP protocol number.
    pub proto: u8,
    /// Ports of sender and receiver, where the protocol has them and they are quoted.
    pub ports: Option<(u16, u16)>,
    /// Type and code, for ICMP.
    icmp: Option<(u16, u16)>,
}

impl Quoted {
    /// The packet that a message quotes, if it is one that does.
    pub fn of(segment: &Segment<'_>) -> Option<Self> {
        match (segment.proto, segment.src_port) {
            (ICMP, 3 | 4 | 5 | 11 | 12) => Self::ipv4(segment.payload),
            (ICMP6, 1..=4) => Self::ipv6(segment.payload),
            (ICMP6, 137) => Self::ipv6(redirected(segment.payload)?),
            _ => None,
        }
    }

    /// The key of its connection, if it was carried in this tunnel.
    pub fn key(&self, tunnel: Tunnel) -> Option<FlowKey> {
        let ports = match (self.ports, self.icmp) {
            (Some(ports), _) => ports,
            (_, Some((kind, code))) => icmp_ports(self.proto, kind, code),
            _ if has_ports(self.proto) || matches!(self.proto, ICMP | ICMP6) => return None,
            _ => (0, 0),
        };
        Some(FlowKey::between((self.src, ports.0), (self.dst, ports.1), self.proto, tunnel).0)
    }

    fn ipv4(packet: &[u8]) -> Option<Self> {
        let header = packet.first_chunk::<20>()?;
        let &[first, _, _, _, _, _, f0, f1, _, proto, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
            header;
        let size = usize::from(first & 15) * 4;
        if first >> 4 != 4 || size < 20 {
            return None;
        }
        // The fragment's offset: the lower 13 bits.
        let first_piece = matches!((f0 & 0x1f, f1), (0, 0));
        let rest = if first_piece { packet.get(size..).unwrap_or_default() } else { &[] };
        Some(Self::new(mapped([s0, s1, s2, s3]), mapped([d0, d1, d2, d3]), proto, rest))
    }

    fn ipv6(packet: &[u8]) -> Option<Self> {
        let (header, mut rest) = packet.split_first_chunk::<40>()?;
        let [first, _, _, _, _, _, next, _, addresses @ ..] = header;
        let mut proto = *next;
        let (src, dst) = addresses.split_first_chunk::<16>()?;
        if first >> 4 != 6 {
            return None;
        }
        for _ in 0..MOST_HEADERS {
            // RFC 8200, section 4: hop-by-hop, routing and destination options; fragments; AH.
            let size = match (proto, rest) {
                (0 | 43 | 60, [_, words, ..]) => usize::from(*words) * 8 + 8,
                (51, [_, words, ..]) => usize::from(*words) * 4 + 8,
                (44, [_, _, 0, 0..8, ..]) => 8,
                (44, [_, ..]) => rest.len(),
                _ => break,
            };
            proto = *rest.first()?;
            rest = rest.get(size..).unwrap_or_default();
        }
        Some(Self::new(*src, dst.try_into().ok()?, proto, rest))
    }

    fn new(src: Address, dst: Address, proto: u8, rest: &[u8]) -> Self {
        let ports = rest
            .first_chunk::<4>()
            .filter(|_| has_ports(proto))
            .map(|&[s0, s1, d0, d1]| (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])));
        let first = rest.first_chunk::<2>().filter(|_| matches!(proto, ICMP | ICMP6));
        let icmp = first.map(|&[kind, code]| (u16::from(kind), u16::from(code)));
        Self { src, dst, proto, ports, icmp }
    }
}

/// TCP, UDP, DCCP and SCTP: what the decoder knows ports of.
fn has_ports(proto: u8) -> bool {
    matches!(proto, 6 | 17 | 33 | 132)
}

/// The packet in an `ICMPv6` redirect's option (RFC 4861, section 4.6.3), behind two addresses.
fn redirected(message: &[u8]) -> Option<&[u8]> {
    let mut options = message.get(32..)?;
    while let [kind, words, ..] = options {
        if *kind == 4 {
            return options.get(8..);
        }
        // An option without length would be read for ever.
        options = options.get(usize::from(*words).max(1) * 8..)?;
    }
    None
}

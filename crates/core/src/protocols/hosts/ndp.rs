//! Neighbour discovery: which hardware address an IPv6 address has (RFC 4861).

use super::{Introduced, Teller};
use crate::decode::{Address, ICMP6, Mac, Segment};

const ROUTER_SOLICITATION: u16 = 133;
const ROUTER_ADVERTISEMENT: u16 = 134;
const SOLICITATION: u16 = 135;
const ADVERTISEMENT: u16 = 136;

/// Options with the hardware address of the sender, and of the target of an advertisement.
const SOURCE: u8 = 1;
const TARGET: u8 = 2;

/// What such a message says of a machine. Only one that comes from the link itself counts: its hop
/// limit is 255, which no router leaves (section 7.1), and it came in no tunnel.
pub(in super::super) fn by_ndp(segment: &Segment<'_>) -> Option<Introduced<'static>> {
    let usual = (segment.proto, segment.ttl, segment.dst_port) == (ICMP6, 255, 0);
    if !usual || segment.is_inner() {
        return None;
    }
    // Of the message, the first eight bytes are gone.
    let (ip, options, wanted) = match segment.src_port {
        ROUTER_SOLICITATION => (segment.src, segment.payload, SOURCE),
        ROUTER_ADVERTISEMENT => (segment.src, segment.payload.get(8..)?, SOURCE),
        SOLICITATION => (segment.src, segment.payload.get(16..)?, SOURCE),
        ADVERTISEMENT => {
            let (target, options) = segment.payload.split_first_chunk::<16>()?;
            let target: Address = *target;
            (target, options, TARGET)
        }
        _ => return None,
    };
    let (ts, iface, mac) = (segment.ts, segment.iface, Some(option(options, wanted)?));
    Some(Introduced { ts, iface, ip, mac, name: None, teller: Teller::Ndp })
}

/// The hardware address in the first option of a kind (section 4.6.1).
fn option(mut options: &[u8], wanted: u8) -> Option<Mac> {
    loop {
        let [kind, units @ 1..=255, ..] = *options else {
            return None;
        };
        let (option, rest) = options.split_at_checked(usize::from(units) * 8)?;
        if (kind, units) == (wanted, 1) {
            return option.last_chunk::<6>().copied();
        }
        options = rest;
    }
}

//! Lists of networks: whether an address is in one of hundreds of thousands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Error;

/// The first and the last address of each range; sorted, none touches the next.
type Ranges<N> = Box<[(N, N)]>;

/// A set of addresses, written as networks. Looking one up takes time logarithmic in their number; memory is 8
/// bytes a range of IPv4, 32 bytes one of IPv6. An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    written: usize,
}

impl Networks {
    /// Reads networks, as `192.0.2.0/24`, `2001:db8::/32`, or an address alone. Bits behind the length are ignored.
    pub fn new<'a>(written: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let (mut v4, mut v6, mut count) = (Vec::new(), Vec::new(), 0);
        for text in written {
            match range(text)? {
                Range::V4(range) => v4.push(range),
                Range::V6(range) => v6.push(range),
            }
            count += 1;
        }
        Ok(Self { v4: joined(v4), v6: joined(v6), written: count })
    }

    /// Whether an address is in one of them.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match ip.to_canonical() {
            IpAddr::V4(ip) => covers(&self.v4, u32::from(ip), u32::from(ip)),
            IpAddr::V6(ip) => covers(&self.v6, u128::from(ip), u128::from(ip)),
        }
    }

    /// How many were written.
    pub fn len(&self) -> usize {
        self.written
    }

    /// Whether none was written.
    pub fn is_empty(&self) -> bool {
        self.written == 0
    }

    /// Whether every address of the others is in these.
    pub fn covers(&self, others: &Self) -> bool {
        others.v4.iter().all(|range| covers(&self.v4, range.0, range.1))
            && others.v6.iter().all(|range| covers(&self.v6, range.0, range.1))
    }
}

/// The network of so many bits that an address is in: its first address.
pub fn network(ip: IpAddr, bits_v4: u8, bits_v6: u8) -> (IpAddr, u8) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let bits = bits_v4.min(32);
            (Ipv4Addr::from(u32::from(ip) & !behind_v4(bits)).into(), bits)
        }
        IpAddr::V6(ip) => {
            let bits = bits_v6.min(128);
            (Ipv6Addr::from(u128::from(ip) & !behind_v6(bits)).into(), bits)
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    V4((u32, u32)),
    V6((u128, u128)),
}

/// Bits of IPv6 before the address of IPv4 in it.
const MAPPED: u8 = 96;

fn range(text: &str) -> Result<Range, Error> {
    let text = text.trim();
    let wrong = |why: &str| Error::Usage(format!("network \"{}\": {why}", text.escape_debug()));
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let not =
        || wrong("write an address, or an address and a length, as 192.0.2.0/24 or 2001:db8::/32");
    let ip: IpAddr = address.parse().map_err(|_| not())?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => most,
        Some(digits)
            if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) =>
        {
            let bits = digits.parse().ok().filter(|bits| *bits <= most);
            bits.ok_or_else(|| wrong(&format!("its length goes from 0 to {most}")))?
        }
        Some(_) => return Err(not()),
    };
    Ok(match (ip, ip.to_canonical()) {
        (IpAddr::V6(_), IpAddr::V4(ip)) if bits >= MAPPED => Range::V4(v4(ip, bits - MAPPED)),
        (IpAddr::V4(ip), _) => Range::V4(v4(ip, bits)),
        (IpAddr::V6(ip), _) => {
            let behind = behind_v6(bits);
            Range::V6((u128::from(ip) & !behind, u128::from(ip) | behind))
        }
    })
}

fn v4(ip: Ipv4Addr, bits: u8) -> (u32, u32) {
    let behind = behind_v4(bits);
    (u32::from(ip) & !behind, u32::from(ip) | behind)
}

fn behind_v4(bits: u8) -> u32 {
    u32::MAX.checked_shr(u32::from(bits)).unwrap_or(0)
}

fn behind_v6(bits: u8) -> u128 {
    u128::MAX.checked_shr(u32::from(bits)).unwrap_or(0)
}

/// Numbers that ranges are made of.
trait Next: Copy + Ord {
    /// The next one; the last one's is itself.
    fn next(self) -> Self;
}

impl Next for u32 {
    fn next(self) -> Self {
        self.saturating_add(1)
    }
}

impl Next for u128 {
    fn next(self) -> Self {
        self.saturating_add(1)
    }
}

/// Sorts ranges and joins those that overlap or touch.
fn joined<N: Next>(mut ranges: Vec<(N, N)>) -> Ranges<N> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let touches = next.0 <= kept.1.next();
        if touches {
            kept.1 = kept.1.max(next.1);
        }
        touches
    });
    ranges.into_boxed_slice()
}

/// Whether a range lies in one of these.
fn covers<N: Ord + Copy>(ranges: &[(N, N)], first: N, last: N) -> bool {
    let after = ranges.partition_point(|range| range.0 <= first);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|range| last <= range.1)
}

//! Names of a connection: our uid, and the Community ID that other tools give it too.

use std::hash::Hasher;

use arrayvec::ArrayString;
use base64::Engine as _;
use sha1::{Digest, Sha1};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::key::{FlowKey, icmp_reply};
use crate::decode::{Address, ICMP, ICMP6, Tunnel, as_ipv4};
use crate::packet::Nanos;

/// A connection's identifier: `C` and 80 bits in base 32.
pub type Uid = ArrayString<17>;

/// Derives the identifier from the ends and the time of the first packet, so that a replay
/// gives the same one. 80 bits: among a billion connections two are the same with a
/// probability below one in a million.
pub fn uid(key: &FlowKey, first: Nanos, generation: u8) -> Uid {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut hasher = SipHasher13::new();
    hasher.write(&key.low);
    hasher.write(&key.high);
    hasher.write_u16(key.low_port);
    hasher.write_u16(key.high_port);
    hasher.write(&[key.proto, generation]);
    hasher.write_u64(match key.tunnel {
        Tunnel::None => 0,
        Tunnel::IpInIp => 1,
        Tunnel::SixInFour => 2,
        Tunnel::Gre => 3,
        Tunnel::Vxlan(network) => u64::from(network) << 8 | 4,
    });
    hasher.write_i64(first);
    let mut bits = hasher.finish128().as_u128();
    let mut text = Uid::new();
    text.push('C');
    for _ in 0..16 {
        let letter = ALPHABET.get((bits & 31) as usize).copied().unwrap_or(b'0');
        text.push(char::from(letter));
        bits >>= 5;
    }
    text
}

/// Community ID version 1 with seed 0 (Corelight's specification): base 64 of the SHA-1 of
/// seed, addresses, protocol and ports, the lower end first.
pub fn community_id(key: &FlowKey, src: (Address, u16), dst: (Address, u16)) -> ArrayString<30> {
    let one_way = is_icmp(key.proto) && icmp_reply(key.proto, src.1).is_none();
    let ordered = one_way || (src.0, src.1) <= (dst.0, dst.1);
    let ((low, low_port), (high, high_port)) = if ordered { (src, dst) } else { (dst, src) };
    let mut sha = Sha1::new();
    sha.update([0, 0]);
    for address in [&low, &high] {
        match as_ipv4(address) {
            Some(short) => sha.update(short),
            None => sha.update(address),
        }
    }
    sha.update([key.proto, 0]);
    if has_ports(key.proto) {
        sha.update(low_port.to_be_bytes());
        sha.update(high_port.to_be_bytes());
    }
    let mut text = ArrayString::from("1:").unwrap_or_default();
    let mut digits = [0; 28];
    let encoded =
        base64::engine::general_purpose::STANDARD.encode_slice(sha.finalize(), &mut digits);
    let length = encoded.unwrap_or(0);
    text.push_str(
        digits.get(..length).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or(""),
    );
    text
}

fn is_icmp(proto: u8) -> bool {
    matches!(proto, ICMP | ICMP6)
}

/// The protocols whose ports (or ICMP types) are part of a Community ID: ICMP, TCP, UDP,
/// `ICMPv6` and SCTP.
fn has_ports(proto: u8) -> bool {
    matches!(proto, ICMP | 6 | 17 | ICMP6 | 132)
}

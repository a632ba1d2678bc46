//! The hash of a key cannot be aimed by who chooses the addresses.

use std::collections::HashSet;

use crate::decode::Tunnel;
use crate::flow::FlowKey;
use crate::flow::key::SECRET;

fn hashes(keys: impl Iterator<Item = (u128, u128)>) -> usize {
    let hash = |(low, high): (u128, u128)| {
        let key = FlowKey {
            low: low.to_be_bytes(),
            high: high.to_be_bytes(),
            low_port: 1000,
            high_port: 80,
            proto: 6,
            tunnel: Tunnel::None,
        };
        key.hash(0x0123_4567_89ab_cdef) as u32
    };
    keys.map(hash).collect::<HashSet<_>>().len()
}

/// Whoever knows the constants must not make a factor zero, whatever the other one is.
#[test]
fn no_network_hides_its_hosts() {
    for secret in SECRET {
        let network = u128::from(secret) << 64;
        let other = 0x2600 << 112;
        let spread = |host: u128| (host * 0x9e37_79b9_7f4a_7c15) & u128::from(u64::MAX);
        let as_low = hashes((0..1000).map(|host| (network | spread(host), other)));
        let as_high = hashes((0..1000).map(|host| (spread(host), network | 1)));
        let behind = hashes((0..1000).map(|host| (other, network | spread(host))));
        assert_eq!((as_low, as_high, behind), (1000, 1000, 1000));
    }
}

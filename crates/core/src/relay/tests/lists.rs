//! Lists of networks, held against looking at each of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::relay::lists::{Networks, network};

fn list(written: &[&str]) -> Networks {
    Networks::new(written.iter().copied()).unwrap()
}

fn has(networks: &Networks, ip: &str) -> bool {
    networks.contains(ip.parse().unwrap())
}

#[test]
fn networks_and_addresses_of_both_kinds() {
    let networks =
        list(&["192.0.2.0/24", "198.51.100.7", " 2001:db8::/32 ", "::1", "203.0.113.99/31"]);
    assert_eq!(networks.len(), 5);
    for ip in
        ["192.0.2.0", "192.0.2.255", "198.51.100.7", "2001:db8:ffff::1", "::1", "203.0.113.98"]
    {
        assert!(has(&networks, ip), "{ip}");
    }
    for ip in ["192.0.1.255", "192.0.3.0", "198.51.100.6", "2001:db9::", "::2", "203.0.113.100"] {
        assert!(!has(&networks, ip), "{ip}");
    }
}

#[test]
fn an_address_of_ipv4_is_the_same_in_ipv6() {
    let networks = list(&["::ffff:192.0.2.0/120", "10.0.0.1"]);
    assert!(has(&networks, "192.0.2.9") && has(&networks, "::ffff:192.0.2.9"));
    assert!(has(&networks, "::ffff:10.0.0.1"));
    let all = list(&["::/0"]);
    assert!(has(&all, "2001:db8::1") && !has(&all, "10.0.0.1") && !has(&all, "::ffff:10.0.0.1"));
    let all = list(&["0.0.0.0/0"]);
    assert!(has(&all, "10.0.0.1") && has(&all, "255.255.255.255") && !has(&all, "::1"));
}

#[test]
fn nothing_is_in_an_empty_list() {
    let none = list(&[]);
    assert!(none.is_empty() && !has(&none, "0.0.0.0") && !has(&none, "::"));
    assert!(none.covers(&none) && list(&["10.0.0.0/8"]).covers(&none));
}

#[test]
fn what_is_no_network_is_named() {
    for text in [
        "",
        "here",
        "192.0.2.0/",
        "192.0.2.0/+8",
        "192.0.2.0/24/1",
        "192.0.2",
        "fe80::1%eth0",
        "/8",
        "10.0.0.0/ 8",
    ] {
        let error = Networks::new([text].into_iter()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("network \"{text}\": write an address")), "{error}");
    }
    for (text, most) in [("192.0.2.0/33", "32"), ("::/129", "128"), ("::/4294967296", "128")] {
        let error = Networks::new([text].into_iter()).unwrap_err().to_string();
        assert_eq!(error, format!("network \"{text}\": its length goes from 0 to {most}"));
    }
    assert!(
        Networks::new(["\x1b[2J\n"].into_iter()).unwrap_err().to_string().contains("\\u{1b}[2J")
    );
}

#[test]
fn hundreds_of_thousands_are_looked_up_by_halves() {
    let written: Vec<String> =
        (0..300_000_u32).map(|n| Ipv4Addr::from(0x0100_0000 + n * 5).to_string()).collect();
    let networks = Networks::new(written.iter().map(String::as_str)).unwrap();
    assert_eq!(networks.len(), 300_000);
    for n in (0..1_500_000).step_by(7) {
        let ip = IpAddr::V4(Ipv4Addr::from(0x0100_0000 + n));
        assert_eq!(networks.contains(ip), n % 5 == 0);
    }
}

#[test]
fn a_network_is_the_first_address_and_its_length() {
    let of = |ip: &str| network(ip.parse().unwrap(), 24, 64);
    assert_eq!(of("192.0.2.77"), ("192.0.2.0".parse().unwrap(), 24));
    assert_eq!(of("::ffff:192.0.2.77"), of("192.0.2.1"));
    assert_eq!(of("2001:db8:1:2:3::4"), ("2001:db8:1:2::".parse().unwrap(), 64));
    assert_eq!(network("10.1.1.1".parse().unwrap(), 0, 0), ("0.0.0.0".parse().unwrap(), 0));
    assert_eq!(network("10.1.1.1".parse().unwrap(), 99, 0), ("10.1.1.1".parse().unwrap(), 32));
}

fn near_v4() -> impl Strategy<Value = (u32, u8)> {
    (0_u32..64, 20_u8..=32).prop_map(|(low, bits)| (low.wrapping_sub(8), bits))
}

proptest! {
    #[test]
    fn it_is_in_one_of_them_or_in_none(
        v4 in prop::collection::vec(near_v4(), 0..8),
        v6 in prop::collection::vec((0_u128..64, 110_u8..=128), 0..8),
        asked in 0_u32..128,
    ) {
        let asked = asked.wrapping_sub(32);
        let v6_asked = u128::from(asked) << 96 | u128::from(asked);
        let text4 = v4.iter().map(|(low, bits)| format!("{}/{bits}", Ipv4Addr::from(*low)));
        let text6 = v6.iter().map(|(low, bits)| format!("{}/{bits}", Ipv6Addr::from(v6_asked ^ low)));
        let written: Vec<String> = text4.chain(text6).collect();
        let networks = Networks::new(written.iter().map(String::as_str)).unwrap();
        let in4 = v4.iter().any(|(low, bits)| (u64::from(low ^ asked)) >> (32 - bits) == 0);
        let in6 = v6.iter().any(|(low, bits)| low.checked_shr(u32::from(128 - bits)).unwrap_or(0) == 0);
        prop_assert_eq!(networks.contains(Ipv4Addr::from(asked).into()), in4);
        prop_assert_eq!(networks.contains(Ipv6Addr::from(v6_asked).into()), in6);
        prop_assert!(networks.covers(&networks));
    }
}

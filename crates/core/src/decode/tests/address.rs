//! Which addresses only a local network knows.

use std::net::IpAddr;

use super::build::mapped;
use crate::decode::is_local;

#[test]
fn local_addresses_and_their_neighbours() {
    let local = "10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 169.254.9.9 fe80::1 febf::1 \
                 fc00::1 fdff::1";
    let others = "9.255.255.255 11.0.0.0 172.15.0.1 172.32.0.0 192.167.0.1 192.169.0.1 100.64.0.1 0.0.0.0 \
                  127.0.0.1 224.0.0.251 255.255.255.255 8.8.8.8 :: ::1 fec0::1 ff02::fb 2001:db8::1 fbff::1";
    for (text, expected) in [(local, true), (others, false)] {
        for text in text.split_whitespace() {
            let address = match text.parse().unwrap() {
                IpAddr::V4(address) => mapped(address.octets()),
                IpAddr::V6(address) => address.octets(),
            };
            assert_eq!(is_local(&address), expected, "{text}");
        }
    }
}

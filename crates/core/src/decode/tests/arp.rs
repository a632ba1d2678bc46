//! ARP: whose addresses are taken from it.

use super::build::{ethernet, join, mapped};
use super::*;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

fn arp(head: [u8; 8], sender: [u8; 4]) -> Vec<u8> {
    join(&[&head, &MAC, &sender, &[0; 6], &[192, 168, 7, 1]])
}

#[test]
fn a_request_and_a_reply_say_who_their_sender_is() {
    for (hardware, operation) in [(1, 1), (1, 2), (6, 2)] {
        let packet_bytes = arp([0, hardware, 8, 0, 6, 4, 0, operation], [192, 168, 7, 9]);
        let frame = ethernet(0x0806, &join(&[&packet_bytes, &[0xee; 18]]));
        let (out, kinds) = decode(&packet(LinkType::ETHERNET, &frame));
        let [Decoded::Arp(said)] = out.as_slice() else { panic!("{out:?}") };
        assert_eq!((said.ts, said.iface), (1, IFACE));
        assert_eq!((said.ip, said.mac), (mapped([192, 168, 7, 9]), MAC));
        assert_eq!(kinds, [("arp".to_owned(), 1)]);
    }
}

#[test]
fn all_else_is_only_counted() {
    let heads = [
        [0, 15, 8, 0, 6, 4, 0, 1],      // frame relay
        [0, 1, 0x86, 0xdd, 6, 4, 0, 1], // no IPv4
        [0, 1, 8, 0, 8, 4, 0, 1],       // long hardware addresses
        [0, 1, 8, 0, 6, 16, 0, 1],      // long addresses
        [0, 1, 8, 0, 6, 4, 0, 3],       // reverse ARP
        [0, 1, 8, 0, 6, 4, 1, 1],
    ];
    for head in heads {
        let frame = ethernet(0x0806, &arp(head, [192, 168, 7, 9]));
        only_counted(&packet(LinkType::ETHERNET, &frame), "arp");
    }
    let frame = ethernet(0x0806, &arp([0, 1, 8, 0, 6, 4, 0, 1], [192, 168, 7, 9]));
    for length in 14..frame.len() {
        only_counted(&packet(LinkType::ETHERNET, &frame[..length]), "arp");
    }
}

#[test]
fn within_a_tunnel_it_speaks_of_another_network() {
    let inner = ethernet(0x0806, &arp([0, 1, 8, 0, 6, 4, 0, 1], [192, 168, 7, 9]));
    let gre = join(&[&[0, 0, 0x65, 0x58], &inner]);
    let frame = ethernet(0x0800, &super::build::ip4(47, &gre));
    let (out, kinds) = decode(&packet(LinkType::ETHERNET, &frame));
    assert!(matches!(out.as_slice(), [Decoded::Segment(_)]), "{out:?}");
    assert_eq!(kinds, [("arp".to_owned(), 1)]);
}

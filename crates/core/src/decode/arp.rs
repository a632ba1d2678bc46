//! ARP: which hardware address an IPv4 address has (RFC 826).

use super::address::{Address, mapped};
use super::decoder::Walk;
use super::stats::Kind;
use super::view::View;
use super::{Decoded, Tunnel};
use crate::packet::Nanos;

/// A hardware address of Ethernet and its relatives.
pub type Mac = [u8; 6];

/// What the sender of a request, reply or announcement says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// When it was seen.
    pub ts: Nanos,
    /// Index into the source's interfaces.
    pub iface: u16,
    /// Its address; 0.0.0.0 as long as it has none.
    pub ip: Address,
    /// Its hardware address.
    pub mac: Mac,
}

impl<'a> Walk<'_, 'a> {
    /// An ARP packet, which is counted in any case. One within a tunnel speaks of another network.
    pub(super) fn arp(&mut self, view: View<'a>) {
        self.stats.count(Kind::Arp);
        let sender = view.head::<28>().and_then(sender).filter(|_| self.tunnel == Tunnel::None);
        if let Some((mac, ip)) = sender {
            let arp = Arp { ts: self.ts, iface: self.iface, ip, mac };
            self.out.push(Decoded::Arp(arp));
        }
    }
}

/// The sender's addresses, where hardware is Ethernet's or IEEE 802's, the protocol IPv4, and the
/// operation a request or a reply.
fn sender(packet: &[u8; 28]) -> Option<(Mac, Address)> {
    let [0, 1 | 6, 8, 0, 6, 4, 0, 1 | 2, rest @ ..] = packet else {
        return None;
    };
    let (mac, rest) = rest.split_first_chunk::<6>()?;
    Some((*mac, mapped(*rest.first_chunk()?)))
}

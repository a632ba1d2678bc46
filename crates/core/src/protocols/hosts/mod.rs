//! Machines of the local network: what ARP, NDP, DHCP, mDNS and LLMNR say of them, each fact once.

mod kept;
mod leases;
mod ndp;

use kept::Kept;
pub(super) use leases::{ClientNames, Leases};
pub(super) use ndp::by_ndp;

use std::fmt::Write as _;

use arrayvec::ArrayString;

use crate::decode::{Address, Arp, Mac, is_local};
use crate::flow::{Observed, address_text};
use crate::packet::Nanos;
use crate::tables::host::{HostRow, HostTable};

/// Facts that are remembered. One takes about 100 bytes and its name, of 255 bytes at most: 6 MB.
pub(super) const MOST_FACTS: usize = 16_384;

/// Nanoseconds of packet time after which a known fact gives a row again.
const AGAIN: Nanos = 600_000_000_000;

/// Nanoseconds between two rows of a fact that changes: two machines that fight for an address do
/// so with every packet.
const CHANGED: Nanos = 1_000_000_000;

/// Bytes of a name that are kept, those of a DNS name.
pub(super) const LONGEST_NAME: usize = 255;

/// Who says something of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Teller {
    Arp,
    Ndp,
    Dhcp,
    Mdns,
    Llmnr,
}

/// What somebody says of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Introduced<'a> {
    pub(super) ts: Nanos,
    /// Index into the source's interfaces.
    pub(super) iface: u16,
    pub(super) ip: Address,
    pub(super) mac: Option<Mac>,
    pub(super) name: Option<&'a [u8]>,
    pub(super) teller: Teller,
}

/// Remembers what was said, so that it is written down once.
pub(super) struct Hosts {
    facts: Kept<Key, Fact>,
    /// DHCP clients that wait for an address.
    pub(super) leases: Leases,
}

/// What a fact is about. A machine may have several names.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    ip: Address,
    iface: u16,
    teller: Teller,
    name: Box<[u8]>,
}

#[derive(Debug)]
struct Fact {
    mac: Option<Mac>,
    /// When its row was written.
    told: Nanos,
}

impl Teller {
    /// As column `source` has it.
    fn name(self) -> &'static str {
        match self {
            Self::Arp => "arp",
            Self::Ndp => "ndp",
            Self::Dhcp => "dhcp",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
        }
    }
}

impl Hosts {
    /// Room for so many facts.
    pub(super) fn new(max: usize) -> Self {
        Self { facts: Kept::new(max), leases: Leases::default() }
    }

    /// Takes what was said, and writes it down if it is new, has changed, or was not for long.
    pub(super) fn hear(
        &mut self,
        said: &Introduced<'_>,
        table: &mut HostTable,
        observed: Observed<'_>,
    ) {
        if self.is_news(said) {
            table.push(&HostRow {
                ts: said.ts,
                sensor: observed.sensor,
                iface: observed.iface(said.iface),
                ip: &address_text(&said.ip),
                mac: said.mac.map(mac_text).as_deref(),
                name: said.name,
                source: said.teller.name(),
            });
        }
    }

    fn is_news(&mut self, said: &Introduced<'_>) -> bool {
        let named = said.name.is_some_and(|name| (1..=LONGEST_NAME).contains(&name.len()));
        if !is_local(&said.ip) || said.name.is_some() && !named {
            return false;
        }
        if said.mac.is_some_and(|mac| !is_station(mac)) || said.mac.is_none() && !named {
            return false;
        }
        let name = said.name.unwrap_or_default().into();
        let key = Key { ip: said.ip, iface: said.iface, teller: said.teller, name };
        if let Some(fact) = self.facts.get(&key) {
            let patience = if fact.mac == said.mac { AGAIN } else { CHANGED };
            let news = said.ts.saturating_sub(fact.told) >= patience;
            if news {
                *fact = Fact { mac: said.mac, told: said.ts };
            }
            return news;
        }
        self.facts.insert(key, Fact { mac: said.mac, told: said.ts });
        true
    }
}

/// What an ARP packet says.
pub(super) fn by_arp(arp: &Arp) -> Introduced<'static> {
    Introduced {
        ts: arp.ts,
        iface: arp.iface,
        ip: arp.ip,
        mac: Some(arp.mac),
        name: None,
        teller: Teller::Arp,
    }
}

/// Whether this can be the address of one machine: neither none nor a group's.
fn is_station(mac: Mac) -> bool {
    mac != [0; 6] && mac.first().is_some_and(|first| first & 1 == 0)
}

/// As it is usually written: pairs of digits with colons.
fn mac_text(mac: Mac) -> ArrayString<17> {
    let mut text = ArrayString::new();
    for (at, byte) in mac.iter().enumerate() {
        let colon = if at == 0 { "" } else { ":" };
        // 17 characters hold six pairs.
        let _ = write!(text, "{colon}{byte:02x}");
    }
    text
}

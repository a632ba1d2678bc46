//! Places of one service: who is in, and who may come.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::IpAddr;

use super::buckets::{Buckets, Pace};
use super::clock::Clock;
use super::{Cause, Counts, Refused, Seated};
use crate::packet::Nanos;
use crate::relay::plan::Limits;

/// Somebody who asks for a place.
#[derive(Debug)]
pub(super) struct Who {
    pub source: IpAddr,
    pub network: (IpAddr, u8),
    pub port: u16,
}

/// All counts of a service that must agree.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Places taken, those for people not known yet included.
    connections: u32,
    addresses: HashMap<IpAddr, u32>,
    networks: HashMap<(IpAddr, u8), u32>,
    ports: HashMap<u16, u32>,
    clock: Clock,
    /// When all new connections so far are paid for.
    paid: Nanos,
    rates: Buckets,
    refused: [u64; Cause::ALL.len()],
}

impl Places {
    /// Takes a place for somebody not known yet, if there is one among all services.
    pub(super) fn sit(&mut self, limits: &Limits, relay: bool) -> Result<(), Refused> {
        if !relay {
            return Err(self.refuse(Cause::Relay));
        }
        if limits.connections.is_some_and(|most| self.connections >= most) {
            return Err(self.refuse(Cause::Connections));
        }
        self.connections += 1;
        Ok(())
    }

    /// Gives a place back.
    pub(super) fn rise(&mut self) {
        self.connections = self.connections.saturating_sub(1);
    }

    /// Lets somebody in, or says why not: `before`, or the first limit that is reached. Of who is refused nothing is
    /// counted but that.
    pub(super) fn admit(
        &mut self,
        limits: &Limits,
        who: &Who,
        seated: Seated,
        before: Option<Cause>,
        now: Nanos,
    ) -> Result<(), Refused> {
        let now = self.clock.at(now);
        let cause = before.or_else(|| self.full(limits, who, seated));
        let cause = cause.or_else(|| self.early(limits, who, now));
        if let Some(cause) = cause {
            return Err(self.refuse(cause));
        }
        if let Some(pace) = Pace::of_service(limits) {
            self.paid = pace.pay(self.paid, now);
        }
        if let Some(pace) = Pace::of_address(limits) {
            self.rates.pay(payer(who), pace, now);
        }
        self.connections += u32::from(seated == Seated::Not);
        *self.addresses.entry(who.source).or_default() += 1;
        *self.networks.entry(who.network).or_default() += 1;
        *self.ports.entry(who.port).or_default() += 1;
        Ok(())
    }

    /// Counts somebody out, and gives the place back.
    pub(super) fn leave(&mut self, who: &Who) {
        self.rise();
        take(&mut self.addresses, who.source);
        take(&mut self.networks, who.network);
        take(&mut self.ports, who.port);
    }

    /// The first rate that allows nobody yet.
    fn early(&mut self, limits: &Limits, who: &Who, now: Nanos) -> Option<Cause> {
        if let Some(pace) = Pace::of_service(limits) {
            self.paid = pace.at_most(self.paid, now);
            if !pace.allows(self.paid, now) {
                return Some(Cause::Rate);
            }
        }
        let pace = Pace::of_address(limits)?;
        let early = !pace.allows(self.rates.paid(payer(who), pace, now), now);
        early.then_some(Cause::RatePerAddress)
    }

    pub(super) fn counts(&self) -> Counts {
        let refused = Cause::ALL.iter().zip(self.refused);
        let refused = refused.filter(|(_, count)| *count > 0);
        Counts {
            connections: self.connections,
            addresses: self.addresses.len() as u32,
            today: 0,
            refused: refused.map(|(cause, count)| (cause.name(), count)).collect(),
            forgotten: self.rates.forgotten,
        }
    }

    pub(super) fn addresses(&self) -> Vec<(IpAddr, u32)> {
        let mut addresses: Vec<_> =
            self.addresses.iter().map(|(ip, count)| (*ip, *count)).collect();
        addresses.sort_unstable();
        addresses
    }

    /// The first count that has reached its limit.
    fn full(&self, limits: &Limits, who: &Who, seated: Seated) -> Option<Cause> {
        let full = |most: Option<u32>, count: Option<&u32>| {
            most.is_some_and(|most| count.copied().unwrap_or(0) >= most)
        };
        let own = self.addresses.get(&who.source);
        let addresses = self.addresses.len() as u32;
        if seated == Seated::Not && full(limits.connections, Some(&self.connections)) {
            Some(Cause::Connections)
        } else if full(limits.per_address, own) {
            Some(Cause::PerAddress)
        } else if full(limits.per_network, self.networks.get(&who.network)) {
            Some(Cause::PerNetwork)
        } else if full(limits.per_port, self.ports.get(&who.port)) {
            Some(Cause::PerPort)
        } else if own.is_none() && full(limits.addresses, Some(&addresses)) {
            Some(Cause::Addresses)
        } else {
            None
        }
    }

    fn refuse(&mut self, cause: Cause) -> Refused {
        if let Some(count) = self.refused.get_mut(cause as usize) {
            *count += 1;
        }
        cause.into()
    }
}

/// Who pays for new connections: an address of IPv4; of IPv6 its network, since a host there has as many addresses as
/// it likes.
fn payer(who: &Who) -> IpAddr {
    if who.source.is_ipv4() { who.source } else { who.network.0 }
}

/// Takes one off a count; one that is nothing leaves the table.
fn take<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: K) {
    if let Entry::Occupied(mut entry) = counts.entry(key) {
        match entry.get().checked_sub(1) {
            Some(count @ 1..) => *entry.get_mut() = count,
            _ => {
                entry.remove();
            }
        }
    }
}

//! Rates of new connections: what was taken ahead is paid with time.
//!
//! A bucket is one number: when everything taken so far is paid for. Each connection moves it on by the time between
//! two connections at the allowed rate; one more is allowed as long as no more than a burst is owed.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::packet::Nanos;
use crate::relay::plan::Limits;

/// Addresses remembered at once, per service: 10 MB at most.
pub(super) const MOST: usize = 65_536;

/// A rate with its burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Time between two connections.
    each: Nanos,
    /// What may be owed at most before another connection.
    credit: Nanos,
}

impl Pace {
    /// `None` if nothing is limited. A rate of nothing allows `burst` connections and then none.
    fn new(rate: Option<f64>, burst: u32) -> Option<Self> {
        // A span beyond what Nanos can hold becomes its largest number.
        let each = ((1e9 / rate?.max(0.0)) as Nanos).clamp(1, Nanos::MAX / 4);
        Some(Self { each, credit: each.saturating_mul(i64::from(burst.max(1)) - 1) })
    }

    pub(super) fn of_service(limits: &Limits) -> Option<Self> {
        Self::new(limits.rate, limits.burst)
    }

    pub(super) fn of_address(limits: &Limits) -> Option<Self> {
        Self::new(limits.rate_per_address, limits.burst_per_address)
    }

    /// When everything will be paid, if the rate was another when it was taken: no more than a burst is owed.
    pub(super) fn at_most(self, paid: Nanos, now: Nanos) -> Nanos {
        paid.min(now.saturating_add(self.credit).saturating_add(self.each))
    }

    /// Whether another connection is allowed, with everything paid at `paid`.
    pub(super) fn allows(self, paid: Nanos, now: Nanos) -> bool {
        paid.saturating_sub(now) <= self.credit
    }

    /// When another connection will be paid.
    pub(super) fn pay(self, paid: Nanos, now: Nanos) -> Nanos {
        paid.max(now).saturating_add(self.each)
    }
}

/// Buckets of addresses. When there is no room, the one that owes for the shortest time is forgotten, so that a flood
/// of addresses that come once pushes out its own, never one that knocks all the time.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    paid: HashMap<IpAddr, Nanos>,
    order: BTreeSet<(Nanos, IpAddr)>,
    /// Forgotten before they had paid.
    pub forgotten: u64,
}

impl Buckets {
    /// When everything an address took is paid for.
    pub(super) fn paid(&mut self, ip: IpAddr, pace: Pace, now: Nanos) -> Nanos {
        let Some(paid) = self.paid.get(&ip).copied() else {
            return Nanos::MIN;
        };
        let at_most = pace.at_most(paid, now);
        if at_most != paid {
            self.set(ip, at_most);
        }
        at_most
    }

    /// Notes another connection of an address.
    pub(super) fn pay(&mut self, ip: IpAddr, pace: Pace, now: Nanos) {
        let before = self.paid.get(&ip).copied();
        if before.is_none() {
            self.forget(now);
        }
        self.set(ip, pace.pay(before.unwrap_or(Nanos::MIN), now));
    }

    fn set(&mut self, ip: IpAddr, paid: Nanos) {
        if let Some(before) = self.paid.insert(ip, paid) {
            self.order.remove(&(before, ip));
        }
        self.order.insert((paid, ip));
    }

    /// Makes room: two of those who owe nothing go each time, and if there is none, who owes least.
    fn forget(&mut self, now: Nanos) {
        for _ in 0..2 {
            let full = self.paid.len() >= MOST;
            let Some(&(paid, ip)) = self.order.first().filter(|(paid, _)| full || *paid <= now)
            else {
                return;
            };
            self.order.pop_first();
            self.paid.remove(&ip);
            self.forgotten += u64::from(paid > now);
        }
    }
}

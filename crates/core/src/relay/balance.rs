//! Which target of a backend is called next: by weight, those that did not answer left out for a while.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::plan::{Address, Backend, ProxyVersion};
use crate::packet::Nanos;

/// How long a target that could not be reached is left out while there are others.
const REST: Nanos = 10_000_000_000;

/// Targets of a backend that are tried for one connection.
pub(super) const MOST_TARGETS: usize = 64;

/// A backend and the health of its targets, shared by all threads.
pub(super) struct Balance {
    /// As it was asked for.
    pub(super) backend: Backend,
    targets: Vec<Target>,
    weights: u64,
    turn: AtomicU64,
}

struct Target {
    weight: u64,
    /// Not to be called before this, if there are others.
    rests_until: AtomicI64,
}

impl Balance {
    pub(super) fn new(backend: &Backend) -> Self {
        let target = |&(_, weight): &(Address, u32)| Target {
            weight: u64::from(weight.max(1)),
            rests_until: AtomicI64::new(Nanos::MIN),
        };
        let targets: Vec<_> = backend.targets.iter().take(MOST_TARGETS).map(target).collect();
        let weights = targets.iter().map(|target| target.weight).sum();
        Self { backend: backend.clone(), targets, weights, turn: AtomicU64::new(0) }
    }

    /// The target to call, by number, of those whose bit in `tried` is not set.
    pub(super) fn choose(&self, tried: u64, now: Nanos) -> Option<usize> {
        let first = self.by_weight();
        let count = self.targets.len();
        let order = (0..count).map(|step| (first + step) % count);
        let untried = order.filter(|number| tried >> number & 1 == 0);
        let rested = |number: &usize| {
            let target = self.targets.get(*number);
            target.is_some_and(|target| target.rests_until.load(Ordering::Relaxed) <= now)
        };
        // If all rest, one is called nevertheless.
        untried.clone().find(rested).or_else(|| untried.clone().next())
    }

    /// Address of a target.
    pub(super) fn address(&self, number: usize) -> Option<&Address> {
        self.backend.targets.get(number).map(|(address, _)| address)
    }

    /// The header that it is sent first.
    pub(super) fn header(&self) -> Option<ProxyVersion> {
        self.backend.proxy_protocol
    }

    /// A target did not answer.
    pub(super) fn failed(&self, number: usize, now: Nanos) {
        self.rest(number, now.saturating_add(REST));
    }

    /// A target answered.
    pub(super) fn answered(&self, number: usize) {
        let resting = self.targets.get(number);
        if resting.is_some_and(|target| target.rests_until.load(Ordering::Relaxed) != Nanos::MIN) {
            self.rest(number, Nanos::MIN);
        }
    }

    fn rest(&self, number: usize, until: Nanos) {
        if let Some(target) = self.targets.get(number) {
            target.rests_until.store(until, Ordering::Relaxed);
        }
    }

    fn by_weight(&self) -> usize {
        if self.targets.len() < 2 {
            return 0;
        }
        // Steps of a golden-ratio fraction spread the turns of heavy targets evenly.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut at = ((u128::from(turn) * u128::from(self.weights)) >> 64) as u64;
        for (number, target) in self.targets.iter().enumerate() {
            if at < target.weight {
                return number;
            }
            at -= target.weight;
        }
        0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn balance(weights: &[u32]) -> Balance {
        let address = |port: usize| Address::Ip(([127, 0, 0, 1], port as u16).into());
        let targets = weights.iter().enumerate().map(|(at, &weight)| (address(at + 1), weight));
        let name = Arc::from("backend");
        Balance::new(&Backend { name, targets: targets.collect(), proxy_protocol: None })
    }

    #[test]
    fn turns_go_by_weight() {
        let balance = balance(&[3, 1]);
        let mut turns = [0; 2];
        for _ in 0..400 {
            turns[balance.choose(0, 0).unwrap()] += 1;
        }
        assert!((295..=305).contains(&turns[0]), "{turns:?}");
    }

    #[test]
    fn one_that_fails_rests_while_others_work() {
        let balance = balance(&[1, 1]);
        balance.failed(0, 0);
        assert!((0..20).all(|_| balance.choose(0, 1) == Some(1)));
        assert_eq!(balance.choose(0b10, 1), Some(0), "it is better than none");
        assert!((0..20).any(|_| balance.choose(0, REST) == Some(0)));
        balance.failed(0, REST);
        balance.answered(0);
        assert!((0..20).any(|_| balance.choose(0, REST) == Some(0)));
    }

    #[test]
    fn when_all_were_tried_there_is_none() {
        assert_eq!(balance(&[1, 1]).choose(0b11, 0), None);
        assert_eq!(balance(&[]).choose(0, 0), None);
    }
}

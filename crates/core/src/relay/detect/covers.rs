//! Whether one rule holds wherever another does, so that the other cannot decide if it stands behind.

use std::collections::HashSet;

use super::machine::{BEGIN, Machine};
use super::rule::Rule;
use crate::protocols::{Service, Services};
use crate::relay::plan::PortRange;

/// Pairs of states that are looked at for two patterns.
const MOST: usize = 10_000;

/// What is compared in all, so that thousands of rules are looked at in about a second.
#[derive(Debug)]
pub(super) struct Budget {
    /// Pairs of rules.
    pub rules: usize,
    /// Pairs of states of patterns.
    pub states: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { rules: 500_000, states: 200_000 }
    }
}

/// Whether `rule` holds wherever `other` does, patterns apart.
pub(super) fn covers(rule: &Rule, other: &Rule) -> bool {
    let spoken = spoken(other);
    covers_ports(&rule.ports, &other.ports)
        && covers_list(&rule.countries, &other.countries)
        && (rule.sources.is_empty()
            || !other.sources.is_empty() && rule.sources.covers(&other.sources))
        && (rule.services.is_empty() || !spoken.is_empty() && rule.services.covers(spoken))
        && covers_list(&rule.alpn, &other.alpn)
        && rule
            .sni
            .as_ref()
            .is_none_or(|names| other.sni.as_ref().is_some_and(|sni| names.covers(sni)))
        && rule
            .host
            .as_ref()
            .is_none_or(|names| other.host.as_ref().is_some_and(|host| names.covers(host)))
}

/// What a client speaks of whom a rule holds.
pub(super) fn spoken(rule: &Rule) -> Services {
    if !rule.services.is_empty() {
        rule.services
    } else if rule.sni.is_some() || !rule.alpn.is_empty() {
        Services::default().with(Service::Tls)
    } else if rule.host.is_some() {
        Services::default().with(Service::Http)
    } else {
        Services::default()
    }
}

fn covers_list<T: PartialEq>(list: &[T], other: &[T]) -> bool {
    list.is_empty() || !other.is_empty() && other.iter().all(|one| list.contains(one))
}

fn covers_ports(list: &[PortRange], other: &[PortRange]) -> bool {
    const ALL: &[PortRange] = &[(0, u16::MAX)];
    let mut list = list.to_vec();
    list.sort_unstable();
    let other = if other.is_empty() { ALL } else { other };
    list.is_empty()
        || other.iter().all(|range| {
            let mut next = u32::from(range.0);
            for one in &list {
                if u32::from(one.0) <= next {
                    next = next.max(u32::from(one.1) + 1);
                }
            }
            next > u32::from(range.1)
        })
}

/// Whether the pattern of `machine` holds of every stream of which that of `other` holds: walks through both at once,
/// where the first does not hold yet. `None` if that takes too long.
pub(super) fn covers_pattern(
    machine: &Machine,
    other: &Machine,
    budget: &mut Budget,
) -> Option<bool> {
    if budget.states == 0 {
        return None;
    }
    let bytes = bytes(machine, other);
    let mut seen = HashSet::from([(BEGIN, BEGIN, false)]);
    let mut open = vec![(BEGIN, BEGIN, false)];
    while let Some((state, other_state, held)) = open.pop() {
        budget.states = budget.states.checked_sub(1)?;
        let (mark, other_mark) = (machine.mark(state), other.mark(other_state));
        let held = held || other_mark.holds != 0;
        if mark.holds != 0 || !held && other_mark.may == 0 {
            continue;
        }
        let ends_alone = (held || other_mark.ends != 0) && mark.ends == 0;
        if ends_alone || mark.may == 0 {
            return Some(false);
        }
        for byte in &bytes {
            let next = (machine.step(state, *byte), other.step(other_state, *byte), held);
            if seen.insert(next) {
                open.push(next);
            }
        }
        if seen.len() > MOST {
            return None;
        }
    }
    Some(true)
}

/// A byte for each that is another to one of the machines.
fn bytes(machine: &Machine, other: &Machine) -> Vec<u8> {
    let mut seen = HashSet::new();
    (0..=u8::MAX).filter(|byte| seen.insert((machine.column(*byte), other.column(*byte)))).collect()
}

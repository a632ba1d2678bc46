//! Interfaces that come and go: taps are opened and closed while the capture runs.

use std::time::Instant;

use super::choose::{MAX_TAPS, Meant};
use super::dedup::Dedup;
use super::memory::Memory;
use super::news::clock;
use super::ports::{Port, Ports};
use super::switched::{Switched, came_up};
use super::tap::{Refused, Tap};
use crate::capture::InterfaceState;
use crate::capture::interfaces::{InterfaceInfo, interfaces};
use crate::error::Error;

/// An interface that is there and wanted, but could not be opened.
pub(super) struct Failed {
    name: String,
    index: u32,
    /// Whether it makes no sense to try again.
    for_good: bool,
}

impl<T: Tap> Ports<T> {
    /// Opens what is wanted at the start. Where a filter has no meaning for one of several
    /// interfaces (`ether host` on a tunnel), that one is left out.
    pub(super) fn open_first(&mut self, there: Vec<InterfaceInfo>) -> Result<(), Error> {
        let mut chosen = self.meant.choose(there);
        self.bound(&mut chosen);
        let (budget, count) = (self.config.ring_bytes, chosen.len());
        let (memory, share) = Memory::new(budget, T::LEAST_BYTES, count, self.meant.is_all());
        self.memory = memory;
        if T::LEAST_BYTES * count > budget {
            self.news.say(over_budget(T::LEAST_BYTES * count, budget, count));
        }
        if chosen.is_empty() {
            T::permitted(&self.way)?;
            self.news.say("no network interface is up; waiting for one".to_owned());
        }
        let mut refused = None;
        for interface in chosen {
            match self.open_one(interface, share) {
                Ok(()) => {}
                Err((_, Refused::Denied(error))) => return Err(error),
                Err((_, Refused::Fatal(error))) if !self.meant.is_all() => return Err(error),
                Err((failed, Refused::Fatal(error) | Refused::LeftOut(error))) => {
                    self.failed(failed, &error);
                    refused = Some(error);
                }
            }
        }
        match refused {
            Some(error) if self.all.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Looks which interfaces there are and follows: call when something may have changed.
    pub(super) fn look(&mut self, now: Instant) {
        // A system that cannot say so now will be asked again.
        let Ok(there) = interfaces() else {
            return self.lookout.looked(now, true);
        };
        self.follow(&there, now);
        self.close_gone();
        self.add(there);
        let failing = self.failed.iter().any(|failed| !failed.for_good);
        self.lookout.looked(now, failing);
    }

    /// Removes ports whose tap is closed for good.
    pub(super) fn close_gone(&mut self) {
        let (closed, left) = std::mem::take(&mut self.all)
            .into_iter()
            .partition::<Vec<_>, _>(|port| port.tap.is_closed());
        self.all = left;
        for mut port in closed {
            self.memory.give_back(port.share);
            if let Some(name) = self.names.get_mut(port.number) {
                name.dropped += port.tap.dropped();
            }
            for line in port.tap.warnings() {
                self.news.say(line);
            }
            let waiting = if self.meant.is_all() { "" } else { "; waiting for it" };
            let (name, now) = (&port.name, clock());
            self.news.say(format!("{name}: the interface is gone since {now}{waiting}"));
        }
    }

    /// What each number's interface is doing.
    pub(super) fn states(&self) -> Vec<InterfaceState> {
        let mut states = vec![InterfaceState::Gone; self.names.iter().count()];
        for port in &self.all {
            if let Some(state) = states.get_mut(usize::from(port.number))
                && *state != InterfaceState::Up
            {
                *state = if port.up { InterfaceState::Up } else { InterfaceState::Down };
            }
        }
        states
    }

    /// Tells ports what has become of their interfaces.
    fn follow(&mut self, there: &[InterfaceInfo], now: Instant) {
        for port in &mut self.all {
            let same =
                |i: &&InterfaceInfo| i.index == port.index && (i.index > 0 || i.name == port.name);
            let Some(listed) = there.iter().find(same) else {
                port.up = false;
                port.tap.check(true, now);
                continue;
            };
            port.up = listed.up;
            if let Some(line) = port.switched.look(listed.up, now, clock) {
                self.news.say(format!("{}: {line}", port.name));
            }
            if listed.name == port.name {
                continue;
            }
            if let Meant::Named(_) = self.meant {
                port.tap.close();
                continue;
            }
            self.news.say(format!("{}: is called {} now", port.name, listed.name));
            port.number = self.names.number(&listed.name);
            port.name.clone_from(&listed.name);
            port.tap.rename(&listed.name);
        }
    }

    /// Opens what is wanted and not watched yet.
    fn add(&mut self, there: Vec<InterfaceInfo>) {
        self.failed.retain(|failed| there.iter().any(|i| failed.is(i) && self.meant.wants(i)));
        let mut wanted = self.meant.choose(there);
        wanted.retain(|i| !self.all.iter().any(|port| port.watches(i)));
        wanted.retain(|i| !self.failed.iter().any(|failed| failed.for_good && failed.is(i)));
        self.bound(&mut wanted);
        for interface in wanted {
            let name = interface.name.clone();
            match self.open_one(interface, self.memory.next()) {
                Ok(()) => self.news.say(format!("{name}: {}", came_up(&clock()))),
                Err((failed, refused)) => {
                    let (Refused::Denied(error) | Refused::Fatal(error) | Refused::LeftOut(error)) =
                        refused;
                    self.failed(failed, &error);
                }
            }
        }
    }

    fn open_one(
        &mut self,
        interface: InterfaceInfo,
        share: usize,
    ) -> Result<(), (Failed, Refused)> {
        let (name, index, up) = (interface.name.clone(), interface.index, interface.up);
        self.failed.retain(|failed| !failed.is(&interface));
        // Before a second one can show what the first one showed.
        if self.config.dedup && !self.all.is_empty() {
            self.dedup.get_or_insert_with(Dedup::default);
        }
        let tap = T::open(&self.way, &self.config, interface, share).map_err(|refused| {
            let for_good = matches!(refused, Refused::LeftOut(_));
            (Failed { name: name.clone(), index, for_good }, refused)
        })?;
        self.memory.take(share);
        let number = self.names.number(&name);
        self.opened = self.opened.wrapping_add(1);
        let (id, switched) = (self.opened, Switched::new(up, Instant::now()));
        self.all.push(Port { number, id, index, name, share, up, switched, tap });
        Ok(())
    }

    /// Keeps within the number of interfaces that are watched at once.
    fn bound(&mut self, wanted: &mut Vec<InterfaceInfo>) {
        let room = MAX_TAPS.saturating_sub(self.all.len());
        if let Some(first) = wanted.get(room) {
            self.news.say(format!(
                "{}: not watched, nor any that comes after it: {MAX_TAPS} interfaces are watched",
                first.name
            ));
        }
        wanted.truncate(room);
    }

    fn failed(&mut self, failed: Failed, error: &Error) {
        self.news.say(left_out(&failed.name, error));
        self.failed.push(failed);
    }
}

impl Failed {
    fn is(&self, interface: &InterfaceInfo) -> bool {
        self.index == interface.index && self.name == interface.name
    }
}

impl<T> Port<T> {
    fn watches(&self, interface: &InterfaceInfo) -> bool {
        self.index == interface.index && self.name == interface.name
    }
}

fn left_out(name: &str, error: &Error) -> String {
    match error {
        Error::Filter { reason, .. } => {
            format!("{name}: not watched, the filter fails: {reason}")
        }
        Error::Interface { reason, .. } => format!("{name}: not watched: {reason}"),
        other => format!("{name}: not watched: {other}"),
    }
}

fn over_budget(least: usize, budget: usize, interfaces: usize) -> String {
    let (least, budget) = (least >> 10, budget >> 10);
    format!(
        "{interfaces} interfaces take {least} KiB of kernel memory, more than the {budget} KiB allowed"
    )
}

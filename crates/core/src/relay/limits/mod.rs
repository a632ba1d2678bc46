//! Who is let in: places, rates and shares of bytes, counted over all threads.
//!
//! A [`Gate`] counts per service, by its name, so that limits which a reload changed apply to the counts there are.
//! Everything is counted whether it is limited or not. Taking a place is one step under one lock: of n places n are
//! given, however many threads ask. Time is an argument and UTC, since days are.
//!
//! Bounds: places taken are as many as connections; addresses with a rate [`MOST_PACED`] a service; rejected
//! addresses [`MOST_REJECTED`]; services, those ever named until [`Gate::retain`].

mod buckets;
mod bytes;
mod clock;
mod places;
mod refused;

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::lists::network;
use super::plan::Limits;
use crate::packet::Nanos;
use bytes::{Bucket, Bytes};
use places::{Places, Who};
pub use refused::{Cause, Refused};

/// Addresses of a service that are remembered for their rate.
pub const MOST_PACED: usize = buckets::MOST;

/// Rejected addresses at once.
pub const MOST_REJECTED: usize = 65_536;

/// Counts who is in, for all threads of a relay. Clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    services: RwLock<HashMap<Box<str>, Arc<Counted>>>,
    rejected: RwLock<BTreeSet<IpAddr>>,
    /// Connections of all services.
    connections: AtomicU32,
    /// One more than they may be; 0 if they are not limited.
    most: AtomicU32,
}

/// What is counted of one service.
#[derive(Debug, Default)]
struct Counted {
    places: Mutex<Places>,
    bytes: Mutex<Bytes>,
}

/// A place among a service's connections, for somebody who is not known yet. Given back when dropped.
#[derive(Debug)]
pub struct Seat {
    home: Home,
    /// Whether it is still this one's to give back.
    held: bool,
}

/// Somebody was let in. Everything is given back when this is dropped.
#[derive(Debug)]
pub struct Pass {
    home: Home,
    who: Who,
    bytes: Mutex<Bucket>,
}

/// Where something was counted.
#[derive(Clone, Debug)]
struct Home {
    shared: Arc<Shared>,
    service: Arc<Counted>,
}

/// What a service's counts are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Places taken.
    pub connections: u32,
    /// Different addresses.
    pub addresses: u32,
    /// Bytes of the current day.
    pub today: u64,
    /// Refused ones by cause, since the start.
    pub refused: Vec<(&'static str, u64)>,
    /// Addresses whose rate was forgotten before it was paid, since there were too many.
    pub forgotten: u64,
}

impl Gate {
    /// Nobody is in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets somebody in, or says why not. `port` is the one the client called.
    pub fn admit(
        &self,
        limits: &Limits,
        service: &str,
        source: IpAddr,
        port: u16,
        now: Nanos,
    ) -> Result<Pass, Refused> {
        self.home(service).admit(limits, source, port, now, Seated::Not)
    }

    /// Takes a place for whoever comes next: before a connection is taken from the backlog, where those beyond the
    /// limit are to wait there.
    pub fn reserve(&self, limits: &Limits, service: &str) -> Result<Seat, Refused> {
        let home = self.home(service);
        let relay = home.shared.enter();
        let sat = locked(&home.service.places).sit(limits, relay);
        if relay && sat.is_err() {
            home.shared.go();
        }
        sat.map(|()| Seat { home, held: true })
    }

    /// Limits the connections of all services together.
    pub fn set_most(&self, most: Option<u32>) {
        self.0.most.store(most.map_or(0, |most| most.saturating_add(1)), Ordering::Relaxed);
    }

    /// Says what passed; `Some` is how long this connection is to rest before it moves more.
    pub fn spend(&self, pass: &Pass, bytes: u64, now: Nanos) -> Option<Nanos> {
        pass.spend(bytes, now)
    }

    /// Sets a service's limits on bytes for the connections it has; [`Gate::admit`] does so too.
    pub fn set(&self, limits: &Limits, service: &str) {
        locked(&self.service(service).bytes).set(limits);
    }

    /// Refuses an address from now on; false if it was, or if there are too many.
    pub fn reject(&self, ip: IpAddr) -> bool {
        let mut rejected = self.0.rejected.write().unwrap_or_else(PoisonError::into_inner);
        rejected.len() < MOST_REJECTED && rejected.insert(ip.to_canonical())
    }

    /// Takes back [`Gate::reject`]; false if the address was not rejected.
    pub fn release(&self, ip: IpAddr) -> bool {
        let mut rejected = self.0.rejected.write().unwrap_or_else(PoisonError::into_inner);
        rejected.remove(&ip.to_canonical())
    }

    /// Whether an address is refused now.
    pub fn rejects(&self, ip: IpAddr) -> bool {
        self.0.rejects(ip.to_canonical())
    }

    /// Rejected addresses, in their order.
    pub fn rejected(&self) -> Vec<IpAddr> {
        let rejected = self.0.rejected.read().unwrap_or_else(PoisonError::into_inner);
        rejected.iter().copied().collect()
    }

    /// Connections of all services.
    pub fn connections(&self) -> u32 {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// What a service's counts are now.
    pub fn counts(&self, service: &str, now: Nanos) -> Counts {
        let service = self.service(service);
        let today = locked(&service.bytes).today(now);
        Counts { today, ..locked(&service.places).counts() }
    }

    /// Addresses that are in, with their connections.
    pub fn addresses(&self, service: &str) -> Vec<(IpAddr, u32)> {
        locked(&self.service(service).places).addresses()
    }

    /// Sets the bytes of the day that `now` is in, as the store knows them.
    pub fn set_today(&self, service: &str, bytes: u64, now: Nanos) {
        locked(&self.service(service).bytes).set_today(bytes, now);
    }

    /// Forgets services that are not named here and have no connection.
    pub fn retain(&self, named: impl Fn(&str) -> bool) {
        let mut services = self.0.services.write().unwrap_or_else(PoisonError::into_inner);
        services.retain(|name, service| named(name) || Arc::strong_count(service) > 1);
    }

    fn home(&self, service: &str) -> Home {
        Home { shared: Arc::clone(&self.0), service: self.service(service) }
    }

    fn service(&self, name: &str) -> Arc<Counted> {
        let services = self.0.services.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = services.get(name) {
            return Arc::clone(service);
        }
        drop(services);
        let mut services = self.0.services.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(services.entry(name.into()).or_default())
    }
}

impl Shared {
    /// Takes a place among all connections, if there is one.
    fn enter(&self) -> bool {
        let most = self.most.load(Ordering::Relaxed).wrapping_sub(1);
        let more = |count: u32| (count < most).then(|| count.saturating_add(1));
        self.connections.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn go(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    fn rejects(&self, ip: IpAddr) -> bool {
        let rejected = self.rejected.read().unwrap_or_else(PoisonError::into_inner);
        !rejected.is_empty() && rejected.contains(&ip)
    }
}

/// Whether somebody has a place already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seated {
    Not,
    Already,
}

impl Home {
    fn admit(
        self,
        limits: &Limits,
        source: IpAddr,
        port: u16,
        now: Nanos,
        seated: Seated,
    ) -> Result<Pass, Refused> {
        let source = source.to_canonical();
        let network = network(source, limits.network_v4, limits.network_v6);
        let who = Who { source, network, port };
        let entered = seated == Seated::Already || self.shared.enter();
        let cause = if self.shared.rejects(source) {
            Some(Cause::Rejected)
        } else if !entered {
            Some(Cause::Relay)
        } else {
            self.day_is_full(limits, now).then_some(Cause::Day)
        };
        let admitted = locked(&self.service.places).admit(limits, &who, seated, cause, now);
        if admitted.is_err() && entered && seated == Seated::Not {
            self.shared.go();
        }
        admitted.map(|()| Pass { home: self, who, bytes: Mutex::default() })
    }

    fn day_is_full(&self, limits: &Limits, now: Nanos) -> bool {
        let mut bytes = locked(&self.service.bytes);
        bytes.set(limits);
        limits.bytes_per_day.is_some_and(|most| bytes.today(now) >= most)
    }
}

impl Seat {
    /// Lets somebody sit down here, or says why not.
    pub fn admit(
        mut self,
        limits: &Limits,
        source: IpAddr,
        port: u16,
        now: Nanos,
    ) -> Result<Pass, Refused> {
        let admitted = self.home.clone().admit(limits, source, port, now, Seated::Already);
        self.held = admitted.is_err();
        admitted
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.held {
            locked(&self.home.service.places).rise();
            self.home.shared.go();
        }
    }
}

impl Pass {
    /// As [`Gate::spend`].
    pub fn spend(&self, bytes: u64, now: Nanos) -> Option<Nanos> {
        let (service, own) = locked(&self.home.service.bytes).spend(bytes, now);
        let own = own.and_then(|rate| locked(&self.bytes).spend(rate, bytes, now));
        service.max(own)
    }

    /// Bytes that are best read at once, so that no rest is long: a tenth of a second's share.
    pub fn at_once(&self) -> usize {
        locked(&self.home.service.bytes).at_once()
    }

    /// Whom it was given.
    pub fn source(&self) -> IpAddr {
        self.who.source
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        locked(&self.home.service.places).leave(&self.who);
        self.home.shared.go();
    }
}

/// What a lock holds; whoever panicked with it left whole counts, for no step in between can fail.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

//! A plan ready to run: rules compiled, lists built, backends with their health.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::balance::Balance;
use super::countries::Countries;
use super::detect::Rules;
use super::lists::Networks;
use super::plan::{self, Plan, Refusal, Steering};
use super::shared::lock;
use crate::Error;
use crate::packet::Nanos;

/// Ports that one plan may open a socket each for.
const MOST_SOCKETS: usize = 1 << 17;

/// What a service has seen; it outlives plans.
#[derive(Default)]
pub(super) struct Counters {
    /// Connections now.
    pub(super) now: AtomicUsize,
    /// Connections let in since the start.
    pub(super) total: AtomicU64,
    /// Bytes from clients.
    pub(super) up: AtomicU64,
    /// Bytes to clients.
    pub(super) down: AtomicU64,
    /// When a connection last began, UTC; 0 never.
    pub(super) last: std::sync::atomic::AtomicI64,
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(super) fn refused(&self, cause: &'static str) {
        *lock(&self.refused).entry(cause).or_default() += 1;
    }

    pub(super) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.refused).clone()
    }

    pub(super) fn accepted(&self, wall: Nanos) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.last.store(wall, Ordering::Relaxed);
    }
}

/// A service ready to run.
pub(super) struct Service {
    /// As it was asked for.
    pub(super) plan: plan::Service,
    pub(super) rules: Rules,
    deny: Networks,
    allow: Networks,
    trusted: Networks,
    backends: Vec<Arc<Balance>>,
    pub(super) counters: Arc<Counters>,
}

impl Service {
    fn new(plan: &plan::Service, counters: Arc<Counters>) -> Result<Self, Error> {
        let networks = |texts: &[String]| Networks::new(texts.iter().map(String::as_str));
        Ok(Self {
            rules: Rules::new(plan)?,
            deny: networks(&plan.deny)?,
            allow: networks(&plan.allow)?,
            trusted: networks(&plan.proxy_from)?,
            backends: plan.backends.iter().map(|backend| Arc::new(Balance::new(backend))).collect(),
            counters,
            plan: plan.clone(),
        })
    }

    /// Why an address may not come in, by the lists.
    pub(super) fn denies(&self, source: IpAddr) -> Option<&'static str> {
        if self.deny.contains(source) {
            return Some("denied");
        }
        (!self.allow.is_empty() && !self.allow.contains(source)).then_some("not_allowed")
    }

    /// Whether connections of this address begin with a PROXY header.
    pub(super) fn trusts(&self, source: IpAddr) -> bool {
        self.trusted.contains(source)
    }

    pub(super) fn backend(&self, name: &str) -> Option<Arc<Balance>> {
        self.backends.iter().find(|backend| &*backend.backend.name == name).cloned()
    }

    /// How many connections are let in before others wait in the backlog.
    pub(super) fn most_waiting(&self) -> Option<usize> {
        let limits = &self.plan.limits;
        let most = limits.connections.filter(|_| limits.refusal == Refusal::Wait);
        most.map(|most| most as usize)
    }

    /// Bytes read at once: no more than may wait.
    pub(super) fn read_size(&self) -> usize {
        self.plan.read_buffer.min(self.plan.write_buffer).clamp(1024, super::reactor::BUFFER)
    }

    /// Whether a port is one of those that come to the socket of a steered door.
    pub(super) fn steers(&self, ip: IpAddr, steering: Steering, port: u16) -> bool {
        let doors = self.plan.doors.iter();
        let mut doors = doors.filter(|door| door.ip == ip && door.steering == steering);
        doors.any(|door| door.ports.iter().any(|range| (range.0..=range.1).contains(&port)))
    }

    /// Whether the number of bytes is limited.
    pub(super) fn limits_bytes(&self) -> bool {
        let limits = &self.plan.limits;
        limits.bytes_per_second.is_some()
            || limits.bytes_per_second_connection.is_some()
            || limits.bytes_per_day.is_some()
    }
}

/// A place to listen.
pub(super) struct Place {
    pub(super) at: SocketAddr,
    pub(super) steering: Steering,
    pub(super) service: Arc<Service>,
}

/// A plan ready to run.
pub(super) struct Running {
    pub(super) services: Vec<Arc<Service>>,
    pub(super) sensor: String,
    pub(super) drain: Nanos,
    /// Where rules ask for countries.
    pub(super) countries: Option<Countries>,
}

impl Running {
    /// Makes ready what is asked for; `counters` are those of services that ran before.
    pub(super) fn new(
        plan: &Plan,
        counters: &mut BTreeMap<Arc<str>, Arc<Counters>>,
    ) -> Result<Self, Error> {
        let mut services: Vec<Arc<Service>> = Vec::new();
        for service in &plan.services {
            if services.iter().any(|other| other.plan.name == service.name) {
                let name = &service.name;
                return Err(Error::Usage(format!("two services are called \"{name}\"")));
            }
            let known = counters.get(&service.name).cloned().unwrap_or_default();
            services.push(Arc::new(Service::new(service, known)?));
        }
        for service in &services {
            counters.insert(Arc::clone(&service.plan.name), Arc::clone(&service.counters));
        }
        let mut rules = plan.services.iter().flat_map(|service| &service.rules);
        let asked = rules.any(|rule| !rule.countries.is_empty());
        let database = plan.countries.as_ref().filter(|_| asked);
        let countries = database.map(|path| Countries::open(path)).transpose()?;
        let running = Self { services, sensor: plan.sensor.clone(), drain: plan.drain, countries };
        let sockets = running.places().count();
        if sockets > MOST_SOCKETS {
            let text = format!("{sockets} ports with a socket each; {MOST_SOCKETS} are the most");
            return Err(Error::Usage(text));
        }
        Ok(running)
    }

    /// Every socket that is listened on.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.services.iter().flat_map(|service| {
            let doors = service.plan.doors.iter();
            doors.flat_map(|door| {
                let first = door.ports.first().map(|&(first, _)| (first, first));
                let steered = door.steering != Steering::Sockets;
                let ranges = if steered { first.as_slice() } else { door.ports.as_slice() };
                let ports: Vec<_> = ranges.iter().flat_map(|&(first, last)| first..=last).collect();
                ports.into_iter().map(|port| Place {
                    at: SocketAddr::new(door.ip, port),
                    steering: door.steering,
                    service: Arc::clone(service),
                })
            })
        })
    }
}

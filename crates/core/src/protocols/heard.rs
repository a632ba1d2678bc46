//! What the opener of a stream speaks, by its first bytes alone: for who has to choose the other end by it.

use super::{First, Guess, STREAMS, Service, signatures};
use crate::flow::Direction;

/// Bytes that are looked at: as many as are kept of a captured stream.
const LOOKED_AT: usize = 1024;

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Services(u64);

const _: () = assert!(Service::ALL.len() <= 64, "a set has 64 places");

impl Services {
    /// One more.
    #[must_use]
    pub fn with(self, service: Service) -> Self {
        Self(self.0 | 1 << service as u32)
    }

    /// Whether one is in it.
    pub fn has(self, service: Service) -> bool {
        self.0 & 1 << service as u32 != 0
    }

    /// Whether they have one in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of the other are in it.
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that a client's first bytes can show, before the server has said anything.
    pub fn of_clients() -> Self {
        let mut services = Self::default();
        for protocol in STREAMS {
            services = services.with(protocol.service);
        }
        signatures::of_client(&[], |service, _| services = services.with(service));
        services
    }
}

/// What a client's first bytes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What it speaks, if that is certain: the first protocol that knows its own, as of a captured stream.
    pub service: Option<Service>,
    /// What it may speak, as long as that is not certain.
    pub maybe: Services,
}

impl Heard {
    /// Listens to all that a client has said so far. `port` is the one it called.
    pub fn new(data: &[u8], port: u16) -> Self {
        let whole = data.len() >= LOOKED_AT;
        let data = data.get(..LOOKED_AT).unwrap_or(data);
        let (direction, ports) = (Direction::Up, (0, port));
        let first = First { direction, data, other: &[], begun: true, ports };
        let mut heard = Self::default();
        for protocol in STREAMS {
            heard.take(protocol.service, (protocol.probe)(&first));
            if heard.service.is_some() {
                return heard;
            }
        }
        signatures::of_client(data, |service, guess| heard.take(service, guess));
        if whole || heard.service.is_some() {
            heard.maybe = Services::default();
        }
        heard
    }

    /// Whether the client speaks one of these.
    pub fn guess(&self, services: Services) -> Guess {
        match self.service {
            Some(service) if services.has(service) => Guess::Yes,
            None if services.meets(self.maybe) => Guess::Maybe,
            _ => Guess::No,
        }
    }

    fn take(&mut self, service: Service, guess: Guess) {
        match guess {
            Guess::Yes => self.service = self.service.or(Some(service)),
            Guess::Maybe => self.maybe = self.maybe.with(service),
            Guess::No => {}
        }
    }
}

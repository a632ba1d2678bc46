//! One connection's conversation without packets: for tests and fuzzing.

use super::{DATAGRAMS, Protocol, Protocols, STREAMS, Settings, Spoken, Talk, signatures};
use crate::decode::mapped;
use crate::flow::{Chunk, Direction, Flow, Observed};
use crate::health::Kinds;
use crate::packet::Nanos;

/// The client's address.
const CLIENT: [u8; 4] = [192, 0, 2, 1];
/// The server's address.
const SERVER: [u8; 4] = [198, 51, 100, 2];

const OBSERVED: Observed<'static> = Observed { sensor: "", interfaces: &[] };

/// A connection that only says things. Its clock moves a millisecond with each.
pub struct Conversation {
    /// The connection.
    pub flow: Flow,
    /// What listens to it.
    pub protocols: Protocols,
    now: Nanos,
    pace: Nanos,
}

impl Conversation {
    /// A TCP connection to this port.
    pub fn stream(port: u16, settings: Settings) -> Self {
        Self::new(6, port, settings)
    }

    /// UDP datagrams between two ports.
    pub fn datagrams(port: u16, settings: Settings) -> Self {
        Self::new(17, port, settings)
    }

    /// A connection that is known to speak this service's protocol from its first byte, as the
    /// client does: over a stream if it can, in datagrams with `/udp` after its name. `None` if that
    /// has no parser.
    pub fn speaking(service: &str, settings: Settings) -> Option<Self> {
        let (service, datagrams) =
            service.strip_suffix("/udp").map_or((service, false), |service| (service, true));
        let find = |list: &[&'static Protocol]| {
            let found = list.iter().find(|protocol| protocol.service.name() == service);
            found.map(|protocol| protocol.known())
        };
        let streams = if datagrams { &[] } else { STREAMS };
        let found = find(streams).or_else(|| signatures::parsed(service)).map(|known| (6, known));
        let (proto, known) = found.or_else(|| find(DATAGRAMS).map(|known| (17, known)))?;
        let mut conversation = Self::new(proto, 9, settings);
        let parser = known.parser?(Direction::Up, conversation.protocols.budget());
        conversation.flow.service = Some(known.service);
        conversation.flow.talk = Some(Box::new(Talk::parsing(parser)));
        Some(conversation)
    }

    fn new(proto: u8, port: u16, settings: Settings) -> Self {
        let now = 1_000_000_000;
        let flow = Flow::between((mapped(CLIENT), 40000), (mapped(SERVER), port), proto, now);
        Self { flow, protocols: Protocols::new(settings), now, pace: 1_000_000 }
    }

    /// Moves the clock, or stops it with 0: so many nanoseconds pass with each thing said.
    pub fn pace(&mut self, nanos: Nanos) -> &mut Self {
        self.pace = nanos;
        self
    }

    /// The client says this.
    pub fn up(&mut self, data: &[u8]) -> &mut Self {
        self.say(Direction::Up, 0, data)
    }

    /// The server says this.
    pub fn down(&mut self, data: &[u8]) -> &mut Self {
        self.say(Direction::Down, 0, data)
    }

    /// One end says this, after `gap` bytes that were lost.
    pub fn say(&mut self, direction: Direction, gap: u64, data: &[u8]) -> &mut Self {
        self.now += self.pace;
        let chunk = Chunk { direction, ts: self.now, gap, data };
        if self.flow.deaf {
            return self;
        }
        if self.flow.key.proto == 17 {
            self.protocols.datagram(&mut self.flow, &chunk, false, OBSERVED);
        } else {
            self.protocols.stream(&mut self.flow, &chunk, OBSERVED);
        }
        self
    }

    /// The connection is over.
    pub fn end(&mut self) -> &mut Self {
        self.protocols.end(&mut self.flow, OBSERVED);
        self
    }

    /// What was found so far.
    pub fn rows(&mut self) -> &mut Spoken {
        &mut self.protocols.rows
    }

    /// The name of the service, if it was recognised.
    pub fn service(&self) -> Option<&'static str> {
        self.flow.service.map(super::Service::name)
    }

    /// The name of the called end and who said it, if somebody did.
    pub fn name(&self) -> Option<(String, &'static str)> {
        let name = self.flow.talk.as_ref()?.name.as_ref()?;
        Some((name.text.to_string(), name.source.name()))
    }

    /// What broke a protocol's rules.
    pub fn violations(&self) -> Kinds {
        self.protocols.violations()
    }
}

//! What the relay is told, as `src/tidegate/relay/plan.py` says it: services with names resolved and lists read.
//!
//! Plain data that anybody may fill; what depends on each other is checked where it is used
//! ([`super::detect::Rules::new`], [`super::limits::Gate`]). Spans are in [`Nanos`], sizes in bytes.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use crate::packet::Nanos;

const SECOND: Nanos = 1_000_000_000;

/// What happens to who is not let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// FIN.
    #[default]
    Close,
    /// RST.
    Reset,
    /// Held without an answer for a while.
    Silent,
    /// Sent a byte now and then.
    Tarpit,
    /// Left in the backlog until there is room (limits on connections of a service or of the relay only).
    Wait,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Close, Self::Reset, Self::Silent, Self::Tarpit, Self::Wait];

    /// As configuration and events have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reset => "reset",
            Self::Silent => "silent",
            Self::Tarpit => "tarpit",
            Self::Wait => "wait",
        }
    }

    /// The refusal of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.name() == name)
    }
}

/// How connections to many ports come to one socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Steering {
    /// They do not: a socket each.
    #[default]
    Sockets,
    /// A BPF program chooses the socket.
    SkLookup,
    /// nftables rewrites the destination.
    Redirect,
    /// nftables hands over the connection as it is.
    Tproxy,
}

impl Steering {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sockets, Self::SkLookup, Self::Redirect, Self::Tproxy];

    /// As configuration has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sockets => "sockets",
            Self::SkLookup => "sk_lookup",
            Self::Redirect => "redirect",
            Self::Tproxy => "tproxy",
        }
    }

    /// The steering of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|steering| steering.name() == name)
    }
}

/// Versions of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

impl ProxyVersion {
    /// As configuration has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// The version of a name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| version.name() == name)
    }
}

/// Where something listens or is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IP address and a port.
    Ip(SocketAddr),
    /// A unix socket's path.
    Unix(PathBuf),
}

/// Ports from the first to the second, both included.
pub type PortRange = (u16, u16);

/// A socket that is listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Where.
    pub ip: IpAddr,
    /// What was asked for. One port: an ordinary socket; more: as `steering` says.
    pub ports: Vec<PortRange>,
    /// How they all come to one socket.
    pub steering: Steering,
}

/// Somewhere connections go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// What rules call it.
    pub name: Arc<str>,
    /// Addresses with their weights.
    pub targets: Vec<(Address, u32)>,
    /// The header that is sent to it first.
    pub proxy_protocol: Option<ProxyVersion>,
}

/// The first rule whose every condition holds decides. Conditions that are empty hold always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// As events show it.
    pub name: Arc<str>,
    /// `None`: refused by `refusal`.
    pub backend: Option<Arc<str>>,
    /// A regular expression on the client's first bytes; bytes mode, not anchored. UTF-8, as RE2's syntax is.
    pub pattern: Option<Vec<u8>>,
    /// Protocols as the engine names them.
    pub services: Vec<String>,
    /// Server names: exact, or `*.example.org`; any case.
    pub sni: Vec<String>,
    /// Application protocols of TLS.
    pub alpn: Vec<String>,
    /// Names of the HTTP Host header, as `sni`.
    pub host: Vec<String>,
    /// Networks of the client.
    pub sources: Vec<String>,
    /// Countries of the client, ISO 3166 alpha-2; any case.
    pub countries: Vec<String>,
    /// Original ports.
    pub ports: Vec<PortRange>,
    /// How who meets this rule is refused.
    pub refusal: Refusal,
}

/// Spans; `None` never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a target answers.
    pub connect: Nanos,
    /// The client says nothing: it is sent to the default of its port. Waited for only where rules look at bytes.
    pub first_byte: Nanos,
    /// The client's first bytes are no whole request yet: it is sent where they point to so far.
    pub detect: Nanos,
    /// Nothing passes.
    pub idle: Option<Nanos>,
    /// One end has said that nothing more comes from it.
    pub half_closed: Option<Nanos>,
    /// A receiver takes nothing though there is something to take.
    pub write_stall: Option<Nanos>,
    /// Of a connection.
    pub lifetime: Option<Nanos>,
    /// How long refused ones are held (`silent`, `tarpit`).
    pub tarpit: Nanos,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: 10 * SECOND,
            first_byte: 3 * SECOND,
            detect: 5 * SECOND,
            idle: Some(3600 * SECOND),
            half_closed: Some(300 * SECOND),
            write_stall: Some(60 * SECOND),
            lifetime: None,
            tarpit: 30 * SECOND,
        }
    }
}

/// What a service admits. Exact: of n places n are given, however many arrive at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// At once.
    pub connections: Option<u32>,
    /// At once, of one address.
    pub per_address: Option<u32>,
    /// At once, of one network.
    pub per_network: Option<u32>,
    /// At once, to one original port.
    pub per_port: Option<u32>,
    /// Bits that make a network, of IPv4.
    pub network_v4: u8,
    /// Bits that make a network, of IPv6.
    pub network_v6: u8,
    /// Different addresses at once; who has a connection already may have more.
    pub addresses: Option<u32>,
    /// New connections a second.
    pub rate: Option<f64>,
    /// As many of them at once.
    pub burst: u32,
    /// New connections a second, of one address.
    pub rate_per_address: Option<f64>,
    /// As many of them at once.
    pub burst_per_address: u32,
    /// Of the whole service, both directions; connections are slowed down.
    pub bytes_per_second: Option<u64>,
    /// The same of each connection.
    pub bytes_per_second_connection: Option<u64>,
    /// Beyond it new connections are refused until the next day (UTC).
    pub bytes_per_day: Option<u64>,
    /// How who finds no room is refused.
    pub refusal: Refusal,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: None,
            per_address: None,
            per_network: None,
            per_port: None,
            network_v4: 24,
            network_v6: 64,
            addresses: None,
            rate: None,
            burst: 1,
            rate_per_address: None,
            burst_per_address: 1,
            bytes_per_second: None,
            bytes_per_second_connection: None,
            bytes_per_day: None,
            refusal: Refusal::Close,
        }
    }
}

/// What of the payload is kept in events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excerpts {
    /// The first bytes of each direction.
    pub per_direction: usize,
    /// The first bytes of each read; gives an event a read.
    pub per_read: usize,
    /// An event for each read, even without payload.
    pub reads: bool,
    /// All bytes go to the reader as they pass.
    pub hex: bool,
}

/// Doors, who may come in, and where they go.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Two plans have the same service where its name is the same.
    pub name: Arc<str>,
    /// Where it listens.
    pub doors: Vec<Door>,
    /// Where connections go.
    pub backends: Vec<Backend>,
    /// The backend of who matches no rule or says nothing; `None` refuses.
    pub default: Option<Arc<str>>,
    /// Ports and the backend that goes before `default` there.
    pub port_defaults: Vec<(PortRange, Arc<str>)>,
    /// The first that holds decides.
    pub rules: Vec<Rule>,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// How many are let in.
    pub limits: Limits,
    /// Networks; refused by `limits.refusal`.
    pub deny: Vec<String>,
    /// If there are any, only these are let in. `deny` goes before.
    pub allow: Vec<String>,
    /// Networks whose connections begin with a PROXY header that is believed.
    pub proxy_from: Vec<String>,
    /// What of the payload is kept.
    pub excerpts: Excerpts,
    /// After how much silence the kernel asks whether the other end is there.
    pub keepalive: Option<Nanos>,
    /// Bytes read at once.
    pub read_buffer: usize,
    /// Bytes that may wait for a slow receiver, per direction.
    pub write_buffer: usize,
    /// Of the first bytes, at most so many are waited for and looked at.
    pub detect_bytes: usize,
    /// Connections that the kernel accepts ahead of us.
    pub listen_backlog: u32,
    /// Until a port that is taken is tried again.
    pub listen_retry: Nanos,
    /// Whether protocols are followed; without, bytes are spliced.
    pub parse: bool,
    /// Bytes of this day (UTC) that passed before the start.
    pub today: u64,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            name: Arc::from(""),
            doors: Vec::new(),
            backends: Vec::new(),
            default: None,
            port_defaults: Vec::new(),
            rules: Vec::new(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            deny: Vec::new(),
            allow: Vec::new(),
            proxy_from: Vec::new(),
            excerpts: Excerpts::default(),
            keepalive: Some(60 * SECOND),
            read_buffer: 256 << 10,
            write_buffer: 256 << 10,
            detect_bytes: 8192,
            listen_backlog: 1024,
            listen_retry: 5 * SECOND,
            parse: true,
            today: 0,
        }
    }
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The services, by different names.
    pub services: Vec<Service>,
    /// Name of this observer, written to every row.
    pub sensor: String,
    /// Threads that move bytes.
    pub threads: usize,
    /// Bytes of payload that may wait, of all connections.
    pub memory: usize,
    /// Connections of all services together; never more than open files allow.
    pub connections: Option<u32>,
    /// Open files kept free: beyond, accepting pauses.
    pub spare_files: usize,
    /// How long connections get to end by themselves when the relay stops.
    pub drain: Nanos,
    /// A database (MMDB) with countries, if rules ask for them.
    pub countries: Option<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            sensor: String::new(),
            threads: 1,
            memory: 512 << 20,
            connections: None,
            spare_files: 64,
            drain: 30 * SECOND,
            countries: None,
        }
    }
}

//! What a parser may know of its connection, and where it leaves what it found.

use std::net::IpAddr;
use std::str;

use arrayvec::ArrayString;

use super::hosts::{Hosts, Introduced};
use super::{Budget, Name, NameSource, Names, Service, Settings, Spoken, Violation};
use crate::flow::{Direction, Flow, Observed, Uid, address_text};
use crate::packet::Nanos;

/// A parser's surroundings during one call.
pub struct Context<'a> {
    /// The connection.
    pub flow: &'a mut Flow,
    /// The tables.
    pub rows: &'a mut Spoken,
    /// Names of addresses, from DNS answers.
    pub names: &'a mut Names,
    /// Machines of the local network.
    pub(super) hosts: &'a mut Hosts,
    /// Memory for [`super::Buffer`]s.
    pub budget: &'a Budget,
    /// What may be written down.
    pub settings: &'a Settings,
    /// Whether the datagram at hand was cut by the capture, so that its end is no violation.
    pub cut: bool,
    pub(super) observed: Observed<'a>,
    pub(super) name: Option<Name>,
    pub(super) fault: Option<Violation>,
}

/// Both ends of a connection as rows have them.
pub struct Ends<'a> {
    /// The connection.
    pub uid: Uid,
    /// Name of the observer.
    pub sensor: &'a str,
    /// Interface of its first packet.
    pub iface: &'a str,
    /// Address of the client.
    pub src_ip: ArrayString<45>,
    /// Port of the client.
    pub src_port: u16,
    /// Address of the server.
    pub dst_ip: ArrayString<45>,
    /// Port of the server.
    pub dst_port: u16,
}

impl<'a> Context<'a> {
    /// The ends, the client first; `from_client` is the direction in which the client speaks. It is
    /// up, unless the connection was first seen in its middle and taken for the wrong way round.
    pub fn ends(&self, from_client: Direction) -> Ends<'a> {
        let src = self.flow.speaker(from_client);
        let dst = self.flow.speaker(from_client.reverse());
        Ends {
            uid: self.flow.uid(),
            sensor: self.observed.sensor,
            iface: self.observed.iface(self.flow.iface),
            src_ip: address_text(&src.0),
            src_port: src.1,
            dst_ip: address_text(&dst.0),
            dst_port: dst.1,
        }
    }

    /// Says what the connection's protocol is; the last word counts.
    pub fn service(&mut self, service: Service) {
        self.flow.service = Some(service);
    }

    /// Says what a machine of the local network is called.
    pub(super) fn introduce(&mut self, said: &Introduced<'_>) {
        self.hosts.hear(said, &mut self.rows.host, self.observed);
    }

    /// Counts what broke the rules in a message, and goes on listening: where many speak on one
    /// connection (to the broadcast address), one must not make us deaf to all. One a message.
    pub(super) fn fault(&mut self, violation: Violation) {
        if !self.cut {
            self.fault = Some(violation);
        }
    }

    /// Says how the server is called; the last word counts, as what is inside a tunnel comes later.
    pub fn name(&mut self, name: &[u8], source: NameSource, ts: Nanos) {
        // An address is no name, though some clients send theirs as one (RFC 6066 forbids it).
        let address = str::from_utf8(name).is_ok_and(|text| text.parse::<IpAddr>().is_ok());
        if !name.is_empty() && !address {
            self.name = Some(Name::new(name, source, ts));
        }
    }
}

//! DHCP for IPv4: which machine got which address, and what it is called (RFC 2131).

mod message;

use super::hosts::{ClientNames, Introduced, Teller};
use super::{Budget, Context, First, Guess, Parser, Protocol, Service, Step, Violation};
use crate::decode::mapped;
use crate::flow::{Chunk, Direction};
use message::{Kind, MAGIC, Message};

/// DHCP messages, one in each datagram.
pub(super) const PROTOCOL: Protocol =
    Protocol { service: Service::Dhcp, probe, resumes: false, parser: Some(boxed) };

/// BOOTP's first fields, and what marks the options behind them (RFC 2131, section 3).
fn probe(first: &First<'_>) -> Guess {
    match (first.data, first.data.get(236..240)) {
        ([1 | 2, _, _, ..=16, ..], Some(mark)) if mark == MAGIC => Guess::Yes,
        _ => Guess::No,
    }
}

fn boxed(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Box::new(Dhcp)
}

/// Remembers nothing: all clients without an address share one connection, and their replies
/// another. What is to be remembered lies with the hosts.
struct Dhcp;

impl Parser for Dhcp {
    fn feed(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation> {
        match Message::read(chunk.data) {
            Ok(message) => hear(message, chunk, context),
            Err(violation) => context.fault(violation),
        }
        Ok(Step::More)
    }

    fn end(&mut self, _: &mut Context<'_>) {}
}

fn hear(message: Message, chunk: &Chunk<'_>, context: &mut Context<'_>) {
    let Some(mac) = message.mac else {
        return;
    };
    match message.kind {
        Kind::Asks => context.hosts.leases.ask(message.number, mac, message.names),
        Kind::Grants => {
            let asked = context.hosts.leases.granted(message.number, mac);
            // What the server says is what it has agreed to.
            let name = ClientNames::best(message.names).or_else(|| ClientNames::best(asked));
            context.introduce(&Introduced {
                ts: chunk.ts,
                iface: context.flow.iface,
                ip: mapped(message.address),
                mac: Some(mac),
                name: name.as_deref(),
                teller: Teller::Dhcp,
            });
        }
        Kind::Other => {}
    }
}

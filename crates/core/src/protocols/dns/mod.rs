//! DNS over datagrams and streams (RFC 1035), with multicast DNS (RFC 6762) and LLMNR (RFC 4795).

mod answer;
mod exchange;
mod message;
mod name;
mod probe;
mod rdata;
mod row;
mod stream;
mod svcb;
mod types;

use super::{Budget, Context, Parser, Protocol, Service, Step, Violation};
use crate::flow::{Chunk, Direction};
use exchange::Exchange;
use message::Message;

/// DNS messages, one in each datagram.
pub(super) const DATAGRAMS: Protocol = Protocol {
    service: Service::Dns,
    probe: probe::datagram,
    resumes: false,
    parser: Some(Datagrams::boxed),
};

/// DNS messages, each with its length before it (RFC 1035, section 4.2.2).
pub(super) const STREAM: Protocol = Protocol {
    service: Service::Dns,
    probe: probe::stream,
    resumes: true,
    parser: Some(stream::Stream::boxed),
};

/// What is said in datagrams.
struct Datagrams {
    exchange: Exchange,
}

impl Datagrams {
    fn boxed(_: Direction, budget: &Budget) -> Box<dyn Parser> {
        Box::new(Self { exchange: Exchange::new(budget) })
    }
}

impl Parser for Datagrams {
    fn feed(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation> {
        let message = match Message::read(chunk.data) {
            Err(_) if context.cut => return Ok(Step::More),
            message => message?,
        };
        let heard = self.exchange.hear(&message, chunk, context);
        // What the capture cut off is nobody's fault: what is there was taken.
        if !context.cut {
            heard?;
            message.fault.map_or(Ok(()), Err)?;
        }
        Ok(Step::More)
    }

    fn end(&mut self, context: &mut Context<'_>) {
        self.exchange.end(context);
    }
}

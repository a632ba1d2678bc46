//! ICMP and `ICMPv6`: echo requests with their replies, errors with the connections they speak of,
//! and everything else by its name (RFC 792, RFC 4443).

mod names;
mod pings;
mod quoted;

use super::{Context, Talk, Violation};
use crate::decode::{Address, Segment, Transport};
use crate::flow::{Uid, address_text, protocol_name};
use crate::packet::Nanos;
use crate::tables::icmp::IcmpRow;
pub(super) use pings::{Echo, Pings};
pub use quoted::Quoted;

/// A message, and what is known of the packet it speaks of.
pub struct Message<'a> {
    /// The message.
    pub segment: &'a Segment<'a>,
    /// The packet it quotes.
    pub quoted: Option<Quoted>,
    /// The connection of that packet.
    pub about: Option<Uid>,
}

/// Echo requests and replies are matched; all else is a row at once.
pub(super) fn hear(
    message: &Message<'_>,
    talk: &mut Talk,
    context: &mut Context<'_>,
) -> Result<(), Violation> {
    let segment = message.segment;
    let Transport::Icmp { id, seq } = segment.transport else {
        return Ok(());
    };
    if let Some(asks) = names::echo(segment.proto, segment.src_port) {
        return talk.ping(Echo::of(segment, id, seq, asks), context);
    }
    Line { about: Some(message), ..Line::of(segment) }.write(context);
    Ok(())
}

/// A row of table `icmp`, but for what the connection gives.
struct Line<'a> {
    ts: Nanos,
    src: Address,
    dst: Address,
    kind: u8,
    code: u8,
    echo: Option<(u16, u16)>,
    payload: u32,
    ttl: u8,
    rtt: Option<f64>,
    answered: Option<bool>,
    about: Option<&'a Message<'a>>,
}

impl Line<'_> {
    /// Of a message.
    fn of(segment: &Segment<'_>) -> Self {
        Self {
            ts: segment.ts,
            src: segment.src,
            dst: segment.dst,
            // Type and code, which have 8 bits.
            kind: segment.src_port as u8,
            code: segment.dst_port as u8,
            echo: None,
            payload: segment.payload_len,
            ttl: segment.ttl,
            rtt: None,
            answered: None,
            about: None,
        }
    }

    fn write(&self, context: &mut Context<'_>) {
        let ends = context.ends(crate::flow::Direction::Up);
        let proto = context.flow.key.proto;
        let quoted = self.about.and_then(|message| message.quoted.as_ref());
        let kind = names::kind(proto, self.kind);
        context.rows.icmp.push(&IcmpRow {
            ts: self.ts,
            uid: &ends.uid,
            sensor: ends.sensor,
            iface: ends.iface,
            src_ip: &address_text(&self.src),
            dst_ip: &address_text(&self.dst),
            proto: &protocol_name(proto),
            kind: &kind,
            icmp_type: self.kind,
            icmp_code: self.code,
            code_name: names::code(&kind, proto, self.code),
            echo_id: self.echo.map(|echo| echo.0),
            echo_seq: self.echo.map(|echo| echo.1),
            payload: self.payload,
            ttl: self.ttl,
            rtt: self.rtt,
            answered: self.answered,
            about_uid: self.about.and_then(|message| message.about.as_deref()),
            about_proto: quoted.map(|quoted| protocol_name(quoted.proto)).as_deref(),
            about_src_ip: quoted.map(|quoted| address_text(&quoted.src)).as_deref(),
            about_src_port: quoted.and_then(|quoted| quoted.ports).map(|ports| ports.0),
            about_dst_ip: quoted.map(|quoted| address_text(&quoted.dst)).as_deref(),
            about_dst_port: quoted.and_then(|quoted| quoted.ports).map(|ports| ports.1),
        });
    }
}

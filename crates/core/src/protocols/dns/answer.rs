//! What a reply answers: its records as text, and the names that its addresses get.

use std::borrow::Cow;

use super::message::{Message, Question, Record};
use super::name::Reader;
use super::{rdata, types};
use crate::decode::{Address, is_local, is_multicast, mapped};
use crate::flow::Chunk;
use crate::packet::Nanos;
use crate::protocols::hosts::{Introduced, Teller};
use crate::protocols::{Context, Names, Service, Violation};
use crate::tables::said;

/// Bytes of text of an answer section that are kept: thousands of rows may lie in memory, and
/// compression makes long names of two bytes each.
const MOST_TEXT: usize = 16 << 10;

/// Aliases that are followed from a name to its addresses; resolvers give up earlier.
const MOST_ALIASES: usize = 16;

/// Answers that are looked at for addresses.
const MOST_ADDRESSES: usize = 256;

/// An answer section as the table has it.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) data: Vec<Cow<'static, str>>,
    pub(super) ttls: Vec<u32>,
    pub(super) types: Vec<Cow<'static, str>>,
}

impl Answers {
    /// The answers of a message, up to the bound; with a violation, those before it.
    pub(super) fn of(message: &Message<'_>) -> (Self, Result<(), Violation>) {
        let mut answers = Self::default();
        let mut text = Vec::new();
        let mut size = 0;
        for record in &message.answers {
            text.clear();
            if let Err(violation) = rdata::write(message.bytes, record, &mut text) {
                return (answers, Err(violation));
            }
            // Each has a type and a place in three lists as well.
            size += text.len() + 16;
            if size > MOST_TEXT {
                break;
            }
            answers.data.push(said(&text).into_owned().into());
            answers.ttls.push(record.ttl);
            answers.types.push(types::type_name(record.rtype));
        }
        (answers, Ok(()))
    }
}

/// The name of a record, as text.
pub(super) fn owner(message: &Message<'_>, record: &Record) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    Reader::within(message.bytes, record.name, message.bytes.len()).name(&mut name).ok()?;
    Some(name)
}

/// Remembers that the addresses in a reply are called as was asked, by whom they were asked for.
pub(super) fn learn(
    message: &Message<'_>,
    asked: &Question,
    client: &Address,
    ts: Nanos,
    names: &mut Names,
) {
    if message.rcode() != 0 || asked.class != types::IN {
        return;
    }
    let (name, alias_ttl) = canonical(message, &asked.name);
    let mut text = None;
    let records = message.answers.iter().take(MOST_ADDRESSES);
    for record in records.filter(|record| record.class == types::IN) {
        let Some(address) = address(message, record) else {
            continue;
        };
        if owner(message, record).is_some_and(|owner| owner.eq_ignore_ascii_case(&name)) {
            let text = text.get_or_insert_with(|| said(&asked.name).as_ref().into());
            names.learn(client, &address, text, record.ttl.min(alias_ttl), ts);
        }
    }
}

/// Remembers what machines of the local network say that they are called, by multicast DNS (`.local`)
/// or LLMNR. It must come from this network: from an address of it, or to all, which no router forwards.
/// What is taken back (time to live 0) does not count.
pub(super) fn introduce(message: &Message<'_>, chunk: &Chunk<'_>, context: &mut Context<'_>) {
    let teller = match context.flow.service {
        Some(Service::Mdns) => Teller::Mdns,
        Some(Service::Llmnr) => Teller::Llmnr,
        _ => return,
    };
    let (speaker, _) = context.flow.speaker(chunk.direction);
    let (hearer, _) = context.flow.speaker(chunk.direction.reverse());
    if message.rcode() != 0 || !is_local(&speaker) && !is_multicast(&hearer) {
        return;
    }
    let records = message.answers.iter().chain(&message.addresses).take(MOST_ADDRESSES);
    // The upper bit of the class says that this is all there is (RFC 6762, section 10.2).
    for record in records.filter(|record| record.class & 0x7fff == types::IN && record.ttl > 0) {
        let Some(ip) = address(message, record) else {
            continue;
        };
        let name = owner(message, record).unwrap_or_default();
        let local = name.to_ascii_lowercase().ends_with(b".local");
        if name == b"." || teller == Teller::Mdns && !local {
            continue;
        }
        let (ts, iface, name) = (chunk.ts, context.flow.iface, Some(name.as_slice()));
        context.introduce(&Introduced { ts, iface, ip, mac: None, name, teller });
    }
}

/// The name that a name stands for in this reply, and for how many seconds.
fn canonical<'a>(message: &Message<'_>, asked: &'a [u8]) -> (Cow<'a, [u8]>, u32) {
    let mut name = Cow::Borrowed(asked);
    let mut ttl = u32::MAX;
    for _ in 0..MOST_ALIASES {
        let alias = message.answers.iter().take(MOST_ADDRESSES).find_map(|record| {
            let alias = record.rtype == types::CNAME
                && owner(message, record).is_some_and(|owner| owner.eq_ignore_ascii_case(&name));
            let (begin, end) = record.data;
            let mut target = Vec::new();
            let mut reader = Reader::within(message.bytes, begin, end);
            (alias && reader.name(&mut target).is_ok()).then_some((target, record.ttl))
        });
        let Some((target, alias_ttl)) = alias else {
            break;
        };
        name = Cow::Owned(target);
        ttl = ttl.min(alias_ttl);
    }
    (name, ttl)
}

fn address(message: &Message<'_>, record: &Record) -> Option<Address> {
    let data = message.bytes.get(record.data.0..record.data.1)?;
    match record.rtype {
        types::A => {
            let address: [u8; 4] = data.try_into().ok()?;
            Some(mapped(address))
        }
        types::AAAA => data.try_into().ok(),
        _ => None,
    }
}

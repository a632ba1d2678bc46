//! A DHCP message, as far as it concerns who is who (RFC 2131 section 2, options: RFC 2132).

use std::net::IpAddr;

use crate::decode::Mac;
use crate::protocols::Violation;
use crate::protocols::hosts::{ClientNames, LONGEST_NAME};

/// What marks the options.
pub(super) const MAGIC: &[u8] = b"\x63\x82\x53\x63";

/// Numbers of options: host name, message type, where other options lie, full name (RFC 4702).
const HOST_NAME: u8 = 12;
const OVERLOAD: u8 = 52;
const MESSAGE_TYPE: u8 = 53;
const FULL_NAME: u8 = 81;

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A client says what it wants, and what it is called.
    Asks,
    /// A server gives it an address.
    Grants,
    /// Offers, refusals and the rest.
    Other,
}

/// What is of interest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// Joins questions and answers (xid).
    pub(super) number: u32,
    /// The client's hardware address, where it is one of Ethernet.
    pub(super) mac: Option<Mac>,
    /// The address granted, or the one that the client has.
    pub(super) address: [u8; 4],
    pub(super) names: ClientNames,
}

const SHORT: Violation = Violation("dhcp message too short");

impl Message {
    /// Reads one. Names that are none are left out.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Violation> {
        let options = bytes.get(240..).ok_or(SHORT)?;
        let field = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).copied();
        let (number, own, given) = (field(4), field(12), field(16));
        let (Some(number), Some(own), Some(given)) = (number, own, given) else {
            return Err(SHORT);
        };
        let mut read = Read::default();
        read.options(options)?;
        // Names of server and boot file, where options may lie (RFC 2132, section 9.3).
        for (bit, field) in [(1, 108..236), (2, 44..108)] {
            if read.overload & bit != 0 {
                read.options(bytes.get(field).ok_or(SHORT)?)?;
            }
        }
        let mac = match bytes {
            [_, 1, 6, ..] => bytes.get(28..34).and_then(|mac| mac.try_into().ok()),
            _ => None,
        };
        Ok(Self {
            kind: match (bytes.first(), read.kind) {
                (Some(1), 1 | 3 | 8) => Kind::Asks,
                (Some(2), 5) => Kind::Grants,
                _ => Kind::Other,
            },
            number: u32::from_be_bytes(number),
            mac,
            address: if given == [0; 4] { own } else { given },
            names: read.names,
        })
    }
}

/// What the options say.
#[derive(Default)]
struct Read {
    kind: u8,
    overload: u8,
    names: ClientNames,
}

impl Read {
    fn options(&mut self, mut options: &[u8]) -> Result<(), Violation> {
        loop {
            match options {
                [] | [255, ..] => return Ok(()),
                [0, rest @ ..] => options = rest,
                [kind, length, rest @ ..] => {
                    let split = rest.split_at_checked(usize::from(*length));
                    let (value, rest) = split.ok_or(Violation("dhcp option too long"))?;
                    self.option(*kind, value);
                    options = rest;
                }
                [_] => return Err(Violation("dhcp option too long")),
            }
        }
    }

    fn option(&mut self, kind: u8, value: &[u8]) {
        match (kind, value) {
            (MESSAGE_TYPE, [kind]) => self.kind = *kind,
            (OVERLOAD, [which]) => self.overload = *which,
            (HOST_NAME, _) => self.names.host = name(value),
            (FULL_NAME, [flags, _, _, value @ ..]) if flags & 4 == 0 => {
                self.names.full = name(value);
            }
            (FULL_NAME, [_, _, _, value @ ..]) => {
                self.names.full = labels(value).and_then(|text| name(&text));
            }
            _ => {}
        }
    }
}

/// A name without what some put behind it, unless nothing is left or it is an address.
fn name(mut value: &[u8]) -> Option<Box<[u8]>> {
    while let [rest @ .., 0 | b'.' | b' '] = value {
        value = rest;
    }
    let text = str::from_utf8(value).unwrap_or_default();
    let none = value.is_empty() || value.len() > LONGEST_NAME || text.parse::<IpAddr>().is_ok();
    (!none).then(|| value.into())
}

/// A name as DNS has it on the wire, without compression; a part of one may lack its end (RFC 4702,
/// section 2.3.1).
fn labels(mut value: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(value.len());
    while let [length @ 1..=63, rest @ ..] = value {
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        if !text.is_empty() {
            text.push(b'.');
        }
        text.extend_from_slice(label);
        value = rest;
    }
    matches!(value, [] | [0]).then_some(text)
}

//! A request that waits, and a reply that has begun.

use super::fields::Fields;
use super::headers::Field;
use super::messages::Head;
use super::row::ReplyView;
use crate::packet::Nanos;
use crate::protocols::Budget;

/// A request whose row is not written yet.
pub(super) struct Request {
    pub(super) first: Nanos,
    /// Its last byte; `None` if that was not seen.
    pub(super) last: Option<Nanos>,
    pub(super) depth: u32,
    pub(super) minor: Option<u8>,
    pub(super) body: u64,
    /// Method, target, host, User-Agent, Referer, Content-Type, credentials, cookie.
    pub(super) fields: Fields<8>,
    pub(super) cut: Option<&'static str>,
    /// Whether nothing more of it will come.
    pub(super) ended: bool,
    /// Whether its reply may lie in lost bytes.
    pub(super) lost: bool,
    pub(super) asks: Asks,
}

/// What a request says of its reply's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Plain,
    Head,
    Connect,
}

/// What is known of a reply by its request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// It has no body, whatever it says.
    pub(super) no_body: bool,
    /// What follows it is a tunnel's.
    pub(super) tunnel: bool,
    /// Nothing: its request was not seen.
    pub(super) unknown: bool,
}

/// A reply's first line.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplyHead<'a> {
    pub(super) minor: u8,
    pub(super) status: u16,
    pub(super) reason: &'a [u8],
}

/// A reply that has begun, or is whole before its request is.
pub(super) struct Reply {
    pub(super) minor: u8,
    pub(super) status: u16,
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) body: u64,
    pub(super) cut: Option<&'static str>,
    /// Reason, Content-Type, Location, Server, Upgrade.
    pub(super) fields: Fields<5>,
    /// Whether its request was not seen.
    pub(super) alone: bool,
    pub(super) over: bool,
}

impl Request {
    pub(super) fn new(first: Nanos, depth: u32, budget: &Budget) -> Self {
        Self {
            first,
            last: None,
            depth,
            minor: None,
            body: 0,
            fields: Fields::none(budget),
            cut: None,
            ended: false,
            lost: false,
            asks: Asks::Plain,
        }
    }

    /// How it was cut short, with a reply.
    pub(super) fn why_cut(&self) -> Option<&'static str> {
        self.cut.or((!self.ended).then_some("unfinished"))
    }

    /// How it was cut short, without a reply.
    pub(super) fn why_alone(&self, unsure: bool) -> &'static str {
        match self.cut {
            Some(why) => why,
            None if self.lost || unsure => "gap",
            None if self.ended => "no reply",
            None => "unfinished",
        }
    }
}

impl<'a> ReplyHead<'a> {
    pub(super) fn view(&self, head: &'a Head<'a>, location: Option<&'a [u8]>) -> ReplyView<'a> {
        let get = |field| head.headers.get(field);
        ReplyView {
            minor: self.minor,
            status: self.status,
            first: head.first,
            last: head.last,
            body: 0,
            cut: None,
            reason: Some(self.reason).filter(|reason| !reason.is_empty()),
            content_type: get(Field::ContentType),
            location,
            server: get(Field::Server),
            upgrade: get(Field::Upgrade).filter(|_| self.status == 101),
        }
    }
}

impl Reply {
    pub(super) fn view(&self) -> ReplyView<'_> {
        ReplyView {
            minor: self.minor,
            status: self.status,
            first: self.first,
            last: self.last,
            body: self.body,
            cut: self.cut,
            reason: self.fields.get(0),
            content_type: self.fields.get(1),
            location: self.fields.get(2),
            server: self.fields.get(3),
            upgrade: self.fields.get(4),
        }
    }
}

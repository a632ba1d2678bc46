//! Echo requests that wait for their replies.

use std::collections::VecDeque;

use super::Line;
use crate::decode::{Address, Segment};
use crate::packet::{Nanos, seconds_between};
use crate::protocols::{Budget, Context, Reserved, Violation};

/// Requests of a connection that may wait; ping waits for fewer.
const MOST_WAITING: usize = 1024;

/// Nanoseconds after which a request counts as not answered; that is what ping waits at the end.
const PATIENCE: Nanos = 10_000_000_000;

/// Requests of one host to another.
pub(in crate::protocols) struct Pings {
    waiting: VecDeque<Echo>,
    memory: Reserved,
}

/// An echo request, or a reply.
pub(in crate::protocols) struct Echo {
    ts: Nanos,
    id: u16,
    seq: u16,
    payload: u32,
    kind: u8,
    code: u8,
    ttl: u8,
    asks: bool,
    src: Address,
    dst: Address,
}

impl Echo {
    pub(super) fn of(segment: &Segment<'_>, id: u16, seq: u16, asks: bool) -> Self {
        Self {
            ts: segment.ts,
            id,
            seq,
            payload: segment.payload_len,
            kind: segment.src_port as u8,
            code: segment.dst_port as u8,
            ttl: segment.ttl,
            asks,
            src: segment.src,
            dst: segment.dst,
        }
    }

    /// Adds the row of a request and its reply, or of a reply whose request was not seen.
    fn write(&self, reply: Option<&Self>, context: &mut Context<'_>) {
        let (src, dst) = if self.asks { (self.src, self.dst) } else { (self.dst, self.src) };
        let rtt = reply.map(|reply| seconds_between(self.ts, reply.ts));
        let line = Line {
            ts: self.ts,
            src,
            dst,
            kind: self.kind,
            code: self.code,
            echo: Some((self.id, self.seq)),
            payload: self.payload,
            ttl: reply.unwrap_or(self).ttl,
            rtt,
            answered: self.asks.then_some(reply.is_some()),
            about: None,
        };
        line.write(context);
    }
}

impl Pings {
    pub(in crate::protocols) fn new(budget: &Budget) -> Self {
        Self { waiting: VecDeque::new(), memory: Reserved::new(budget) }
    }

    /// Whether no request waits.
    pub(in crate::protocols) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a request or a reply.
    pub(in crate::protocols) fn hear(
        &mut self,
        echo: Echo,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        while self.waiting.front().is_some_and(|first| echo.ts.saturating_sub(first.ts) >= PATIENCE)
        {
            self.give_up_first(context);
        }
        if echo.asks {
            self.asked(echo, context);
        } else {
            self.replied(&echo, context);
        }
        self.memory.set(self.waiting.capacity() * size_of::<Echo>())
    }

    /// Nothing more will come.
    pub(in crate::protocols) fn end(&mut self, context: &mut Context<'_>) {
        while !self.waiting.is_empty() {
            self.give_up_first(context);
        }
    }

    fn asked(&mut self, echo: Echo, context: &mut Context<'_>) {
        if self.waiting.len() == MOST_WAITING {
            self.give_up_first(context);
        }
        self.waiting.push_back(echo);
    }

    /// The youngest request of its numbers is answered: where numbers repeat, an older one was
    /// given up by its sender.
    fn replied(&mut self, reply: &Echo, context: &mut Context<'_>) {
        let same = |asked: &Echo| (asked.id, asked.seq) == (reply.id, reply.seq);
        let place = self.waiting.iter().rposition(same);
        match place.and_then(|place| self.waiting.remove(place)) {
            Some(asked) => asked.write(Some(reply), context),
            None => reply.write(None, context),
        }
    }

    fn give_up_first(&mut self, context: &mut Context<'_>) {
        if let Some(asked) = self.waiting.pop_front() {
            asked.write(None, context);
        }
    }
}

//! Which reply belongs to which request: the first that is waiting (RFC 9112, section 9.3), unless
//! bytes were lost that may have held others. A pair that cannot be known is not made.
//!
//! A client that has never sent a request before the last was answered is taken at its word after
//! lost bytes: what it sends next comes after the reply, seen or not. Of any other, requests and
//! replies stand alone from there on.

use std::collections::VecDeque;

use super::fields::Fields;
use super::headers::Field;
use super::messages::Head;
use super::redact;
use super::start::Start;
use super::waiting::{Asked, Asks, Reply, ReplyHead, Request};
use crate::flow::Direction;
use crate::packet::Nanos;
use crate::protocols::{Budget, Context, NameSource, Violation};

/// Requests that may wait for their replies.
const MAX_WAITING: usize = 1000;

/// Room for so many is kept while none waits.
const USUALLY_WAITING: usize = 4;

/// A connection's requests and replies.
// Facts that are independent of each other, not states.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Exchange {
    /// Which way the client speaks.
    pub(super) client: Direction,
    waiting: VecDeque<Box<Request>>,
    /// The reply to the first that waits, once it has begun.
    reply: Option<Box<Reply>>,
    budget: Budget,
    pub(super) depth: u32,
    /// The last interim reply to the first that waits; 0 for none.
    pub(super) interim: u16,
    named: bool,
    /// Since when the client is known not to wait for replies.
    pipelined: Option<Nanos>,
    /// Whether requests may have been lost since the last one seen.
    hole: bool,
    /// Whether a reply was lost to a request that had not been seen.
    reply_lost: bool,
    /// Whether pairs cannot be known any more.
    pub(super) unsure: bool,
}

impl Exchange {
    pub(super) fn new(client: Direction, budget: &Budget) -> Self {
        Self {
            client,
            waiting: VecDeque::new(),
            reply: None,
            budget: budget.clone(),
            depth: 0,
            interim: 0,
            named: false,
            pipelined: None,
            hole: false,
            reply_lost: false,
            unsure: false,
        }
    }

    /// Whether no reply can come, as far as requests were seen.
    pub(super) fn is_idle(&self) -> bool {
        self.unanswered() == 0 && !self.unsure
    }

    /// Requests whose replies are not whole.
    fn unanswered(&self) -> usize {
        let answered = self.reply.as_ref().is_some_and(|reply| reply.over && !reply.alone);
        self.waiting.len() - usize::from(answered).min(self.waiting.len())
    }

    /// A request begins.
    pub(super) fn open(&mut self, ts: Nanos, context: &mut Context<'_>) -> Result<(), Violation> {
        let unanswered = self.unanswered();
        let lost = self.waiting.front().is_some_and(|request| request.lost);
        let hole = std::mem::take(&mut self.hole);
        if hole && (self.pipelined.is_some() || unanswered > 0 && !lost)
            || lost && self.pipelined.is_some()
        {
            self.give_up_pairs(context);
        } else if lost {
            self.write_first_alone(context);
        } else if unanswered > 0 {
            let _ = self.pipelined.get_or_insert(ts);
        }
        if self.waiting.len() >= MAX_WAITING {
            return Err(Violation("http pipeline too long"));
        }
        self.depth = self.depth.saturating_add(1);
        let mut request = Request::new(ts, self.depth, &self.budget);
        request.lost = self.reply_lost;
        self.waiting.push_back(Box::new(request));
        Ok(())
    }

    /// The head of the request that was begun last has come.
    pub(super) fn asked(
        &mut self,
        head: &Head<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let Start::Request { method, target, minor } = head.start else {
            return Ok(());
        };
        let (headers, settings) = (&head.headers, context.settings);
        let host = redact::authority(method, target).or(headers.get(Field::Host));
        if !std::mem::replace(&mut self.named, true)
            && let Some(name) = host.and_then(redact::name)
        {
            context.name(name, NameSource::Http, head.first);
        }
        let Some(request) = self.waiting.back_mut() else {
            return Ok(());
        };
        let referrer = headers.get(Field::Referer).map(|uri| redact::uri(uri, settings));
        let authorization = headers.get(Field::Authorization);
        let authorization = authorization.map(|value| redact::authorization(value, settings));
        let host = host.map(|host| redact::uri(host, settings));
        let texts = [
            Some(method),
            Some(&redact::uri(target, settings)),
            host.as_deref(),
            headers.get(Field::UserAgent),
            referrer.as_deref(),
            headers.get(Field::ContentType),
            authorization.as_deref(),
            headers.get(Field::Cookie).map(|value| redact::cookie(value, settings)),
        ];
        request.fields = Fields::keep(&self.budget, texts)?;
        request.minor = Some(minor);
        request.asks = match method {
            b"HEAD" => Asks::Head,
            b"CONNECT" => Asks::Connect,
            _ => Asks::Plain,
        };
        Ok(())
    }

    /// The request that was begun last is whole.
    pub(super) fn request_ended(&mut self, body: u64, ts: Nanos, context: &mut Context<'_>) {
        self.end_request(body, Some(ts), None, context);
    }

    /// The rest of the request that was begun last will not come.
    pub(super) fn request_cut(&mut self, body: u64, why: &'static str, context: &mut Context<'_>) {
        self.end_request(body, None, Some(why), context);
    }

    fn end_request(
        &mut self,
        body: u64,
        last: Option<Nanos>,
        cut: Option<&'static str>,
        context: &mut Context<'_>,
    ) {
        let Some(request) = self.waiting.back_mut().filter(|request| !request.ended) else {
            return;
        };
        request.ended = true;
        (request.body, request.last, request.cut) = (body, last, cut);
        let own = self.reply.as_ref().filter(|reply| !reply.alone && self.waiting.len() == 1);
        match own.map(|reply| reply.over) {
            Some(true) => self.write_first(context),
            None if self.unsure => {
                if let Some(request) = self.waiting.pop_back() {
                    self.write_alone(&request, context);
                }
            }
            _ => {}
        }
    }

    /// An interim reply has come.
    pub(super) fn interim(&mut self, status: u16) {
        if self.unanswered() > 0 {
            self.interim = status;
        }
    }

    /// The head of a final reply has come: what is known of it?
    pub(super) fn answers(&mut self, status: u16, context: &mut Context<'_>) -> Asked {
        if self.reply.is_some() {
            // The first was answered before its end, which we did not see.
            self.write_first(context);
        }
        if self.unsure {
            return Asked { unknown: true, ..Asked::default() };
        }
        let Some(request) = self.waiting.front_mut() else {
            return Asked { unknown: true, ..Asked::default() };
        };
        request.lost = false;
        self.reply_lost = false;
        Asked {
            no_body: request.asks == Asks::Head,
            tunnel: request.asks == Asks::Connect && (200..300).contains(&status),
            unknown: request.minor.is_none(),
        }
    }

    /// A reply is whole with its head, or together with a body that lies behind it.
    pub(super) fn answered(
        &mut self,
        reply: ReplyHead<'_>,
        head: &Head<'_>,
        body: u64,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let waits = !self.unsure && self.waiting.front().is_some_and(|first| !first.ended);
        if waits {
            self.answering(reply, head, context)?;
            self.reply_ended(body, head.last, None, context);
            return Ok(());
        }
        let location = head.headers.get(Field::Location);
        let location = location.map(|uri| redact::uri(uri, context.settings));
        let mut view = reply.view(head, location.as_deref());
        view.body = body;
        let request = if self.unsure { None } else { self.pop() };
        self.write(request.as_deref(), Some(&view), context);
        Ok(())
    }

    /// A reply has begun whose body is still to come.
    pub(super) fn answering(
        &mut self,
        reply: ReplyHead<'_>,
        head: &Head<'_>,
        context: &Context<'_>,
    ) -> Result<(), Violation> {
        let location = head.headers.get(Field::Location);
        let location = location.map(|uri| redact::uri(uri, context.settings));
        let view = reply.view(head, location.as_deref());
        let texts = [view.reason, view.content_type, view.location, view.server, view.upgrade];
        self.reply = Some(Box::new(Reply {
            minor: reply.minor,
            status: reply.status,
            first: head.first,
            last: head.last,
            body: 0,
            cut: None,
            fields: Fields::keep(&self.budget, texts)?,
            alone: self.unsure || self.waiting.is_empty(),
            over: false,
        }));
        Ok(())
    }

    /// The reply at hand is over; cut short, if it says why.
    pub(super) fn reply_ended(
        &mut self,
        body: u64,
        ts: Nanos,
        cut: Option<&'static str>,
        context: &mut Context<'_>,
    ) {
        let Some(reply) = &mut self.reply else {
            return;
        };
        (reply.body, reply.last, reply.cut, reply.over) = (body, ts, cut, true);
        if reply.alone || self.waiting.front().is_none_or(|request| request.ended) {
            self.write_first(context);
        }
    }

    /// A head of which only the beginning will come.
    pub(super) fn half_head(
        &mut self,
        head: &Head<'_>,
        why: &'static str,
        context: &mut Context<'_>,
    ) {
        match head.start {
            Start::Request { .. } => {
                // Without room for its texts it is still a request.
                let _ = self.asked(head, context);
                self.request_cut(0, why, context);
            }
            Start::Reply { status: status @ (100 | 102..=199), .. } => self.interim(status),
            Start::Reply { minor, status, reason } => {
                self.answers(status, context);
                let reply = ReplyHead { minor, status, reason };
                if self.answering(reply, head, context).is_ok() {
                    self.reply_ended(0, head.last, Some(why), context);
                }
            }
        }
    }

    /// Bytes of one end are missing, messages perhaps.
    pub(super) fn lost(&mut self, from_client: bool, ts: Nanos, context: &mut Context<'_>) {
        if from_client {
            self.hole = true;
            return;
        }
        match self.unanswered() {
            // It may still come, from behind lost bytes of the client.
            0 => self.reply_lost = true,
            1 => self.first_lost(),
            // The segment that brought the second acknowledged the lost reply to the first.
            2 if self.pipelined == Some(ts) => {
                self.pipelined = None;
                self.first_lost();
                self.write_first_alone(context);
            }
            _ => self.give_up_pairs(context),
        }
    }

    /// The reply to the first that waits was not seen, but for a late final one perhaps.
    fn first_lost(&mut self) {
        if let Some(request) = self.waiting.front_mut() {
            request.lost = true;
        }
    }

    /// No more will be read, so that nobody knows what would have come.
    pub(super) fn stop(&mut self) {
        for request in &mut self.waiting {
            request.cut.get_or_insert("unfinished");
        }
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self, context: &mut Context<'_>) {
        if self.reply.is_some() {
            self.write_first(context);
        }
        while !self.waiting.is_empty() {
            self.write_first_alone(context);
        }
    }

    /// From here on every request and every reply stands alone.
    fn give_up_pairs(&mut self, context: &mut Context<'_>) {
        self.unsure = true;
        let answered = self.reply.as_ref().is_some_and(|reply| !reply.alone);
        let keep = usize::from(answered);
        while self.waiting.get(keep).is_some_and(|request| request.ended) {
            if let Some(request) = self.waiting.remove(keep) {
                self.write_alone(&request, context);
            }
        }
    }

    fn pop(&mut self) -> Option<Box<Request>> {
        let first = self.waiting.pop_front();
        if self.waiting.is_empty() && self.waiting.capacity() > USUALLY_WAITING {
            self.waiting = VecDeque::new();
        }
        first
    }

    /// Writes the first that waits with the reply at hand.
    fn write_first(&mut self, context: &mut Context<'_>) {
        let Some(reply) = self.reply.take() else {
            return;
        };
        let request = if reply.alone { None } else { self.pop() };
        self.write(request.as_deref(), Some(&reply.view()), context);
    }

    fn write_first_alone(&mut self, context: &mut Context<'_>) {
        if let Some(request) = self.pop() {
            self.write_alone(&request, context);
        }
    }

    fn write_alone(&mut self, request: &Request, context: &mut Context<'_>) {
        self.write(Some(request), None, context);
    }
}

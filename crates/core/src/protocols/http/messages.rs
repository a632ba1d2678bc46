//! Heads, put together where they are split, and bodies' ends: what makes messages of bytes.

use memchr::memchr;

use super::headers::{self, Field, Framing, Headers};
use super::start::{Start, may_start, start};
use super::waiting::ReplyHead;
use super::{Http, MAX_HEAD, Moved, Partial, State};
use crate::packet::Nanos;
use crate::protocols::{Buffer, Context, Step, Violation};

/// So many bytes of a line tell whether it may be a message's first.
const SURE: usize = 128;

/// A head as far as it has come.
pub(super) struct Head<'a> {
    pub(super) start: Start<'a>,
    pub(super) headers: Headers<'a>,
    /// Its first byte.
    pub(super) first: Nanos,
    /// Its last byte.
    pub(super) last: Nanos,
}

impl Http {
    /// Takes a message's first bytes, or the empty lines before it.
    pub(super) fn idle(
        &mut self,
        from_client: bool,
        data: &[u8],
        ts: Nanos,
        context: &mut Context<'_>,
    ) -> Moved {
        let blank = data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let rest = data.get(blank..).unwrap_or_default();
        if rest.is_empty() {
            return Ok((blank, Step::More));
        }
        if let Some((line, next)) = headers::line(rest, 0) {
            let Some(start) = start(line, from_client) else {
                self.no_message(from_client, false)?;
                return Ok((blank + next, Step::More));
            };
            if let (headers, Some(end)) = Headers::read(rest, next)
                && end <= MAX_HEAD
            {
                if from_client {
                    self.exchange.open(ts, context)?;
                }
                let head = Head { start, headers, first: ts, last: ts };
                let body = rest.get(end..).unwrap_or_default();
                let (taken, step) = self.head(from_client, &head, body, context)?;
                return Ok((blank + end + taken, step));
            }
        }
        let bytes = Buffer::new(context.budget);
        let partial = Partial { bytes, ts, scanned: 0, started: false };
        self.side(from_client).partial = Some(Box::new(partial));
        self.side(from_client).state = State::Head;
        let (taken, step) = self.more_head(from_client, rest, ts, context)?;
        Ok((blank + taken, step))
    }

    /// Takes more of a head whose beginning is kept.
    pub(super) fn more_head(
        &mut self,
        from_client: bool,
        data: &[u8],
        ts: Nanos,
        context: &mut Context<'_>,
    ) -> Moved {
        let Some(mut partial) = self.side(from_client).partial.take() else {
            return Ok((0, self.side(from_client).lose()));
        };
        let had = partial.bytes.len();
        let room = (MAX_HEAD + 1).saturating_sub(had).min(data.len());
        partial.bytes.extend(data.get(..room).unwrap_or_default())?;
        // A long line that comes byte by byte is not looked at each time.
        let tells = had < SURE || data.is_empty() || memchr(b'\n', data).is_some();
        if !partial.started && tells {
            match first_line(partial.bytes.bytes(), from_client) {
                Line::Bad(next) => {
                    self.no_message(from_client, next.is_none())?;
                    return Ok((next.map_or(room, |next| next.saturating_sub(had)), Step::More));
                }
                Line::Begun => {}
                Line::Whole => {
                    partial.started = true;
                    if from_client {
                        self.exchange.open(partial.ts, context)?;
                    }
                }
            }
        }
        let found = headers::end(partial.bytes.bytes(), partial.scanned);
        let Some(end) = found.ok().filter(|end| *end <= MAX_HEAD) else {
            partial.scanned = found.err().unwrap_or_default();
            let too_long = partial.bytes.len() > MAX_HEAD;
            self.side(from_client).partial = Some(partial);
            return if too_long {
                self.too_long(from_client, room)
            } else {
                Ok((room, Step::More))
            };
        };
        let taken = end.saturating_sub(had);
        let whole = partial.bytes.bytes().get(..end).unwrap_or_default();
        let Some(message) = read(whole, from_client, partial.ts, ts) else {
            self.no_message(from_client, false)?;
            return Ok((taken, Step::More));
        };
        let body = data.get(taken..).unwrap_or_default();
        let (body, step) = self.head(from_client, &message, body, context)?;
        Ok((taken + body, step))
    }

    fn too_long(&mut self, from_client: bool, taken: usize) -> Moved {
        if self.side(from_client).certain {
            return Err(Violation("http header too long"));
        }
        Ok((taken, self.side(from_client).lose()))
    }

    /// What should be a message is none: an error, unless we may have lost our way.
    fn no_message(&mut self, from_client: bool, in_line: bool) -> Result<(), Violation> {
        let side = self.side(from_client);
        if side.certain {
            return Err(Violation(if from_client {
                "not an http request"
            } else {
                "not an http reply"
            }));
        }
        side.lose();
        side.state = State::Lost(in_line);
        Ok(())
    }

    /// A head is whole; `rest` is what follows it. Returns how much of that was used up, too.
    fn head(
        &mut self,
        from_client: bool,
        head: &Head<'_>,
        rest: &[u8],
        context: &mut Context<'_>,
    ) -> Moved {
        self.side(from_client).state = State::Idle;
        self.side(from_client).body = 0;
        match head.start {
            Start::Request { method, .. } => self.request(method, head, context),
            Start::Reply { minor, status, reason } => {
                let reply = ReplyHead { minor, status, reason };
                self.reply(reply, head, rest, context)
            }
        }
    }

    fn request(&mut self, method: &[u8], head: &Head<'_>, context: &mut Context<'_>) -> Moved {
        self.exchange.asked(head, context)?;
        let state = match head.headers.framing() {
            Ok(Framing::Unsaid | Framing::Bytes(0)) => {
                self.exchange.request_ended(0, head.last, context);
                if method == b"CONNECT" { State::Asked } else { State::Idle }
            }
            Ok(Framing::Bytes(bytes)) => State::Counted(bytes),
            Ok(Framing::Chunked) => State::Chunked(super::Chunked::BEGIN),
            Ok(Framing::Endless) => return Err(Violation("http transfer coding unknown")),
            Err(violation) if self.client.certain => return Err(violation),
            Err(_) => {
                self.exchange.request_cut(0, "gap", context);
                return Ok((0, self.client.lose()));
            }
        };
        self.client.state = state;
        Ok((0, Step::More))
    }

    fn reply(
        &mut self,
        reply: ReplyHead<'_>,
        head: &Head<'_>,
        rest: &[u8],
        context: &mut Context<'_>,
    ) -> Moved {
        if matches!(reply.status, 100 | 102..=199) {
            self.exchange.interim(reply.status);
            return Ok((0, Step::More));
        }
        let asked = self.exchange.answers(reply.status, context);
        if asked.unknown {
            // Whether it has a body depends on what was asked.
            self.server.certain = false;
        }
        let framing = match reply.status {
            _ if asked.no_body || asked.tunnel => Framing::Bytes(0),
            101 | 204 | 304 => Framing::Bytes(0),
            _ => match head.headers.framing() {
                Ok(Framing::Unsaid) => Framing::Endless,
                Ok(framing) => framing,
                Err(violation) => return self.unclear_reply(reply, head, violation, context),
            },
        };
        if let Framing::Bytes(bytes) = framing
            && bytes <= rest.len() as u64
        {
            self.exchange.answered(reply, head, bytes, context)?;
            return Ok((
                bytes as usize,
                self.after_reply(reply.status, asked.tunnel, head, context),
            ));
        }
        self.exchange.answering(reply, head, context)?;
        self.server.state = match framing {
            Framing::Bytes(bytes) => State::Counted(bytes),
            Framing::Chunked => State::Chunked(super::Chunked::BEGIN),
            Framing::Unsaid | Framing::Endless => State::Endless,
        };
        self.release_client();
        Ok((0, Step::More))
    }

    /// A reply whose body ends nobody knows where.
    fn unclear_reply(
        &mut self,
        reply: ReplyHead<'_>,
        head: &Head<'_>,
        violation: Violation,
        context: &mut Context<'_>,
    ) -> Moved {
        self.exchange.answering(reply, head, context)?;
        self.exchange.reply_ended(0, head.last, Some("unfinished"), context);
        if self.server.certain { Err(violation) } else { Ok((0, self.server.lose())) }
    }

    /// What follows a whole reply: more HTTP, or something else.
    fn after_reply(
        &mut self,
        status: u16,
        tunnel: bool,
        head: &Head<'_>,
        context: &mut Context<'_>,
    ) -> Step {
        if status == 101 {
            let upgrade = head.headers.get(Field::Upgrade).unwrap_or_default();
            if upgrade.eq_ignore_ascii_case(b"websocket") {
                context.service(crate::protocols::Service::Websocket);
            }
            return Step::Done;
        }
        if tunnel {
            return Step::Anew(0);
        }
        self.release_client();
        Step::More
    }

    /// A CONNECT was refused: its client goes on with requests.
    fn release_client(&mut self) {
        if self.client.state == State::Asked {
            if self.client.body > 0 {
                self.client.lose();
            } else {
                self.client.state = State::Idle;
            }
        }
    }

    /// Bytes behind a CONNECT before its reply; if that was lost, they tell themselves what they are.
    pub(super) fn asked(&mut self, length: usize, context: &mut Context<'_>) -> (usize, Step) {
        if matches!(self.server.state, State::Lost(_)) && !self.server.certain {
            self.exchange.end(context);
            return (0, Step::Anew(0));
        }
        self.client.body += length as u64;
        (length, Step::More)
    }

    /// A body's last byte has come.
    pub(super) fn body_ended(&mut self, from_client: bool, ts: Nanos, context: &mut Context<'_>) {
        let side = self.side(from_client);
        side.state = State::Idle;
        let body = std::mem::take(&mut side.body);
        if from_client {
            self.exchange.request_ended(body, ts, context);
        } else {
            self.exchange.reply_ended(body, ts, None, context);
        }
    }

    /// The message at hand, if there is one, ends here, unfinished.
    pub(super) fn cut_short(
        &mut self,
        from_client: bool,
        why: &'static str,
        context: &mut Context<'_>,
    ) {
        let side = self.side(from_client);
        let (state, last) = (side.state, side.last);
        let body = std::mem::take(&mut side.body);
        let partial = side.partial.take().filter(|_| state == State::Head);
        if let Some(partial) = partial.filter(|partial| partial.started) {
            let head = read(partial.bytes.bytes(), from_client, partial.ts, last);
            if let Some(head) = head {
                self.exchange.half_head(&head, why, context);
            }
            return;
        }
        if matches!(state, State::Counted(_) | State::Chunked(_) | State::Endless) {
            if from_client {
                self.exchange.request_cut(body, why, context);
            } else {
                self.exchange.reply_ended(body, last, Some(why), context);
            }
        }
    }
}

/// What the first line of a partial head is.
enum Line {
    /// Not whole, but may become one.
    Begun,
    Whole,
    /// No message's; where the next line begins, if that is known.
    Bad(Option<usize>),
}

fn first_line(data: &[u8], from_client: bool) -> Line {
    match headers::line(data, 0) {
        Some((line, _)) if start(line, from_client).is_some() => Line::Whole,
        Some((_, next)) => Line::Bad(Some(next)),
        None if may_start(data, from_client) => Line::Begun,
        None => Line::Bad(None),
    }
}

/// A head of which all lines, or the first, are there.
fn read(data: &[u8], from_client: bool, first: Nanos, last: Nanos) -> Option<Head<'_>> {
    let (line, next) = headers::line(data, 0)?;
    let (headers, _) = Headers::read(data, next);
    Some(Head { start: start(line, from_client)?, headers, first, last })
}

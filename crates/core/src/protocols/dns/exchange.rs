//! Questions that wait for their replies, and the rows that both make.

use std::collections::VecDeque;

use super::answer::{Answers, introduce, learn, owner};
use super::message::{Edns, Header, Message, Question};
use super::row::{Asking, Replying};
use crate::decode::is_multicast;
use crate::flow::{Chunk, Direction};
use crate::packet::Nanos;
use crate::protocols::{Budget, Buffer, Context, Service, Violation};

/// Port of DNS (RFC 1035).
const DNS: u16 = 53;

/// Ports of multicast DNS (RFC 6762) and LLMNR (RFC 4795).
const MDNS: u16 = 5353;
const LLMNR: u16 = 5355;

/// Questions of a connection that may wait for their replies. Each takes 64 bytes or more of the
/// parsers' budget, which so bounds them all, and 104 bytes beside it.
const MOST_WAITING: usize = 256;

/// Nanoseconds after which a question counts as not answered; resolvers give up earlier.
const PATIENCE: Nanos = 10_000_000_000;

/// What waits on one connection.
pub(super) struct Exchange {
    waiting: VecDeque<Asked>,
    budget: Budget,
}

/// A question that waits.
struct Asked {
    ts: Nanos,
    name: Buffer,
    header: Header,
    direction: Direction,
    edns: Option<Edns>,
    /// Type and class, unless the message had no question.
    kind: Option<(u16, u16)>,
    /// How often it was asked again: so many further replies may come.
    again: u8,
    /// Whether its row was written.
    answered: bool,
}

impl Exchange {
    pub(super) fn new(budget: &Budget) -> Self {
        Self { waiting: VecDeque::new(), budget: budget.clone() }
    }

    /// A buffer of the same budget.
    pub(super) fn buffer(&self) -> Buffer {
        Buffer::new(&self.budget)
    }

    /// Takes a message, or what is there of it.
    pub(super) fn hear(
        &mut self,
        message: &Message<'_>,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        name_service(context);
        while self
            .waiting
            .front()
            .is_some_and(|asked| chunk.ts.saturating_sub(asked.ts) >= PATIENCE)
        {
            self.give_up_first(context);
        }
        let result = if message.header.is_reply() {
            introduce(message, chunk, context);
            self.replied(message, chunk, context)
        } else {
            self.asked(message, chunk, context)
        };
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        result
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self, context: &mut Context<'_>) {
        while !self.waiting.is_empty() {
            self.give_up_first(context);
        }
    }

    fn asked(
        &mut self,
        message: &Message<'_>,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        for question in questions(message) {
            let kind = question.map(|question| (question.qtype, question.class));
            let name = question.map(|question| question.name.as_slice());
            let asking = Asking {
                ts: chunk.ts,
                from_client: chunk.direction,
                header: message.header,
                name,
                kind,
                edns: message.edns,
            };
            if goes_to_many(context, chunk.direction) {
                asking.write(None, false, context);
                continue;
            }
            let place = self.find(message.header.id, question, chunk.direction);
            if let Some(asked) = place.and_then(|place| self.waiting.get_mut(place)) {
                asked.again = asked.again.saturating_add(1); // the first time counts
                continue;
            }
            if self.waiting.len() == MOST_WAITING {
                self.give_up_first(context);
            }
            let mut kept = Buffer::new(&self.budget);
            if let Err(violation) = kept.extend(name.unwrap_or(b".")) {
                asking.write(None, false, context);
                return Err(violation);
            }
            if self.waiting.is_empty() {
                // Most connections have one question: no room for others yet.
                self.waiting.reserve_exact(1);
            }
            self.waiting.push_back(Asked {
                ts: chunk.ts,
                name: kept,
                header: message.header,
                direction: chunk.direction,
                edns: message.edns,
                kind,
                again: 0,
                answered: false,
            });
        }
        Ok(())
    }

    fn replied(
        &mut self,
        message: &Message<'_>,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let from_client = chunk.direction.reverse();
        let (mut answers, result) = Answers::of(message);
        for question in questions(message) {
            let place = self.find(message.header.id, question, from_client);
            let replying = Replying {
                ts: chunk.ts,
                header: message.header,
                rcode: message.rcode(),
                count: message.header.counts.get(1).copied().unwrap_or(0),
                answers: &answers,
            };
            match place {
                Some(place) => {
                    if self.answer(place, &replying, context)
                        && let Some(question) = question
                    {
                        let (client, _) = context.flow.speaker(from_client);
                        learn(message, question, &client, chunk.ts, context.names);
                    }
                }
                None => unasked(message, question, &replying, chunk.direction, context),
            }
            // Of several questions the first has the answers: which are whose is not said.
            answers = Answers::default();
        }
        result
    }

    /// Writes the row of a question that was answered; whether this was the first reply to it.
    fn answer(&mut self, place: usize, reply: &Replying<'_>, context: &mut Context<'_>) -> bool {
        let Some(asked) = self.waiting.get_mut(place) else {
            return false;
        };
        let first = !std::mem::replace(&mut asked.answered, true);
        if first {
            asked.asking().write(Some(reply), true, context);
        }
        // Asked twice, it will be answered twice.
        match asked.again.checked_sub(1) {
            Some(left) => asked.again = left,
            None => drop(self.waiting.remove(place)),
        }
        first
    }

    /// The place of the question that a reply with this identifier and question answers.
    fn find(&self, id: u16, question: Option<&Question>, direction: Direction) -> Option<usize> {
        self.waiting.iter().position(|asked| {
            asked.header.id == id
                && asked.direction == direction
                && question.is_none_or(|question| asked.is(question))
        })
    }

    fn give_up_first(&mut self, context: &mut Context<'_>) {
        if let Some(asked) = self.waiting.pop_front().filter(|asked| !asked.answered) {
            asked.asking().write(None, false, context);
        }
    }
}

impl Asked {
    fn is(&self, question: &Question) -> bool {
        self.kind == Some((question.qtype, question.class))
            && self.name.bytes().eq_ignore_ascii_case(&question.name)
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            ts: self.ts,
            from_client: self.direction,
            header: self.header,
            name: self.kind.map(|_| self.name.bytes()),
            kind: self.kind,
            edns: self.edns,
        }
    }
}

/// A message's questions, as many as were read; `None` for a message without one.
fn questions<'a>(message: &'a Message<'_>) -> impl Iterator<Item = Option<&'a Question>> {
    let none = message.header.counts.first() == Some(&0);
    message.questions.iter().map(Some).chain(none.then_some(None))
}

/// Writes a reply whose question was not seen. Multicast DNS answers without being asked: then
/// the first answer's name says what about.
fn unasked(
    message: &Message<'_>,
    question: Option<&Question>,
    reply: &Replying<'_>,
    direction: Direction,
    context: &mut Context<'_>,
) {
    let multicast = goes_to_many(context, direction);
    let name = match question {
        Some(question) => Some(question.name.clone()),
        None => message.answers.first().and_then(|record| owner(message, record)),
    };
    let asking = Asking {
        ts: reply.ts,
        from_client: if multicast { direction } else { direction.reverse() },
        header: message.header,
        name: name.as_deref(),
        kind: question.map(|question| (question.qtype, question.class)),
        edns: None,
    };
    asking.write(Some(reply), false, context);
}

/// Multicast DNS and LLMNR are DNS, but for their ports. What asks from such a port and is
/// answered from another's is neither.
fn name_service(context: &mut Context<'_>) {
    let (src, dst) = context.flow.ends();
    let speaks = |port| dst.1 == port || src.1 == port && dst.1 != DNS;
    if speaks(MDNS) {
        context.service(Service::Mdns);
    } else if speaks(LLMNR) {
        context.service(Service::Llmnr);
    }
}

/// Whether what goes this way goes to many.
fn goes_to_many(context: &Context<'_>, direction: Direction) -> bool {
    is_multicast(&context.flow.speaker(direction.reverse()).0)
}

//! What is said on one connection: first nobody knows, then a parser listens, until it is done.

use super::icmp::{Echo, Pings};
use super::{
    Buffer, Context, DATAGRAMS, First, Guess, Known, Name, Parser, STREAMS, Step, Violation,
    signatures,
};
use crate::flow::{Chunk, Direction};

/// First bytes of a direction that are kept while they are not recognised.
const KEPT: usize = 1024;

/// Datagrams of a direction that are looked at before it is given up.
const TRIES: u8 = 4;

/// A connection's conversation.
#[derive(Default)]
pub struct Talk {
    state: State,
    /// How the called end is called, if somebody said it.
    pub name: Option<Name>,
}

#[derive(Default)]
enum State {
    /// Nothing was recognised yet.
    #[default]
    Unheard,
    Probing(Box<Probing>),
    Parsing(Box<dyn Parser>),
    /// Echo requests wait for their replies (ICMP).
    Pinging(Box<Pings>),
    Over,
}

/// What is kept while nothing is recognised, by direction.
#[derive(Default)]
struct Probing {
    begun: [Option<Buffer>; 2],
    refused: [bool; 2],
    tries: [u8; 2],
    /// Bytes are missing before those that come, so they may be the middle of something.
    broken: bool,
}

impl Talk {
    /// A conversation whose protocol is known.
    pub(super) fn parsing(parser: Box<dyn Parser>) -> Self {
        Self { state: State::Parsing(parser), name: None }
    }

    /// Whether nothing more is to be heard.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether it holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_none() && matches!(self.state, State::Unheard)
    }

    /// Takes the next bytes of a stream.
    pub(super) fn stream(
        &mut self,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let mut chunk = *chunk;
        loop {
            let rest = match &mut self.state {
                State::Over | State::Pinging(_) => return Ok(()),
                State::Parsing(parser) => match parser.feed(&chunk, context)? {
                    Step::More => return Ok(()),
                    Step::Done => {
                        self.end(context);
                        return Ok(());
                    }
                    Step::Anew(rest) => rest,
                },
                State::Unheard | State::Probing(_) => return self.probe(&chunk, context),
            };
            self.end(context);
            self.state = State::Unheard;
            let skip = chunk.data.len().saturating_sub(rest);
            chunk = Chunk { gap: 0, data: chunk.data.get(skip..).unwrap_or_default(), ..chunk };
            if chunk.data.is_empty() {
                return Ok(());
            }
        }
    }

    /// Takes a datagram.
    pub(super) fn datagram(
        &mut self,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        if !matches!(self.state, State::Parsing(_)) && !self.probe_datagram(chunk, context) {
            return Ok(());
        }
        let State::Parsing(parser) = &mut self.state else {
            return Ok(());
        };
        if parser.feed(chunk, context)? == Step::Done {
            self.end(context);
        }
        Ok(())
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self, context: &mut Context<'_>) {
        match &mut self.state {
            State::Parsing(parser) => parser.end(context),
            State::Pinging(pings) => pings.end(context),
            _ => {}
        }
        self.state = State::Over;
    }

    /// Takes an echo request or reply.
    pub(super) fn ping(&mut self, echo: Echo, context: &mut Context<'_>) -> Result<(), Violation> {
        if matches!(self.state, State::Unheard) {
            self.state = State::Pinging(Box::new(Pings::new(context.budget)));
        }
        if let State::Pinging(pings) = &mut self.state {
            pings.hear(echo, context)?;
            if pings.is_empty() {
                self.state = State::Unheard;
            }
        }
        Ok(())
    }

    /// Looks at the first bytes of a stream, with those kept before.
    fn probe(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<(), Violation> {
        let mut probing = match std::mem::take(&mut self.state) {
            State::Probing(probing) => probing,
            _ => Box::new(Probing::begin(context)),
        };
        match probing.ask(chunk, context)? {
            Answer::Found(known) => self.begin(known, &probing, chunk, context),
            Answer::Unknown => {
                self.state = State::Probing(probing);
                Ok(())
            }
            Answer::Nothing => {
                self.state = State::Over;
                Ok(())
            }
        }
    }

    /// Hands a recognised stream to its parser, what was kept first.
    fn begin(
        &mut self,
        known: Known,
        probing: &Probing,
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Violation> {
        let _ = context.flow.service.get_or_insert(known.service);
        let Some(parser) = known.parser else {
            self.state = State::Over;
            return Ok(());
        };
        self.state = State::Parsing(parser(chunk.direction, context.budget));
        for direction in [chunk.direction.reverse(), chunk.direction] {
            let kept = probing.kept(direction);
            if !kept.is_empty() {
                self.stream(&Chunk { direction, gap: 0, data: kept, ..*chunk }, context)?;
            }
        }
        self.stream(chunk, context)
    }

    /// Whether a datagram is recognised, and its parser ready.
    fn probe_datagram(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> bool {
        if self.is_over() {
            return false;
        }
        let (src, dst) = context.flow.ends();
        let ports = (src.1, dst.1);
        let (direction, data) = (chunk.direction, chunk.data);
        let first = First { direction, data, other: &[], begun: true, ports };
        let found = DATAGRAMS.iter().find(|protocol| (protocol.probe)(&first) == Guess::Yes);
        let found = found.map(|protocol| protocol.known());
        let Some(known) = found.or_else(|| signatures::datagram(&first)) else {
            self.refuse_datagram(chunk.direction);
            return false;
        };
        let _ = context.flow.service.get_or_insert(known.service);
        self.state = match known.parser {
            Some(parser) => State::Parsing(parser(chunk.direction, context.budget)),
            None => State::Over,
        };
        !self.is_over()
    }

    fn refuse_datagram(&mut self, direction: Direction) {
        if matches!(self.state, State::Unheard) {
            self.state = State::Probing(Box::default());
        }
        let State::Probing(probing) = &mut self.state else {
            return;
        };
        if let Some(tries) = probing.tries.get_mut(direction as usize) {
            *tries += 1;
            if *tries >= TRIES {
                self.state = State::Over;
            }
        }
    }
}

enum Answer {
    Found(Known),
    /// More bytes, or the other direction's, may tell.
    Unknown,
    /// No more bytes will tell.
    Nothing,
}

impl Probing {
    fn begin(context: &Context<'_>) -> Self {
        Self { broken: !context.flow.began(), ..Self::default() }
    }

    fn kept(&self, direction: Direction) -> &[u8] {
        let kept = self.begun.get(direction as usize).and_then(Option::as_ref);
        kept.map_or(&[], Buffer::bytes)
    }

    fn ask(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Answer, Violation> {
        let at = chunk.direction as usize;
        if chunk.gap > 0 {
            self.broken = true;
            self.drop_kept(at);
        }
        if chunk.data.is_empty() {
            return Ok(Answer::Unknown);
        }
        let refused = self.refused.get(at).copied().unwrap_or(true);
        if refused {
            return Ok(self.ask_again(chunk, context));
        }
        let kept = self.kept(chunk.direction);
        let joined;
        let data = if kept.is_empty() {
            chunk.data
        } else {
            joined = [kept, chunk.data].concat();
            joined.as_slice()
        };
        let first = self.first(data, chunk.direction, context);
        let (guess, found) = Self::guess(&first);
        if let Some(known) = found {
            return Ok(Answer::Found(known));
        }
        if guess == Guess::Maybe && data.len() <= KEPT {
            let place = self.begun.get_mut(at);
            let kept = place.map(|kept| kept.get_or_insert_with(|| Buffer::new(context.budget)));
            kept.map_or(Ok(()), |kept| kept.extend(chunk.data))?;
            return Ok(Answer::Unknown);
        }
        self.drop_kept(at);
        if let Some(refused) = self.refused.get_mut(at) {
            *refused = true;
        }
        Ok(if self.refused == [true; 2] && !self.broken {
            Answer::Nothing
        } else {
            Answer::Unknown
        })
    }

    /// Of a stream whose beginning is missing: whether something begins with this chunk.
    fn ask_again(&self, chunk: &Chunk<'_>, context: &Context<'_>) -> Answer {
        if !self.broken {
            return Answer::Unknown;
        }
        let first = self.first(chunk.data, chunk.direction, context);
        let mut resuming = STREAMS.iter().filter(|protocol| protocol.resumes);
        let found = resuming.find(|protocol| (protocol.probe)(&first) == Guess::Yes);
        found.map_or(Answer::Unknown, |protocol| Answer::Found(protocol.known()))
    }

    fn first<'a>(
        &'a self,
        data: &'a [u8],
        direction: Direction,
        context: &Context<'_>,
    ) -> First<'a> {
        let (src, dst) = context.flow.ends();
        let (other, ports) = (self.kept(direction.reverse()), (src.1, dst.1));
        First { direction, data, other, begun: !self.broken, ports }
    }

    fn guess(first: &First<'_>) -> (Guess, Option<Known>) {
        let mut guess = Guess::No;
        for protocol in STREAMS {
            match (protocol.probe)(first) {
                Guess::Yes => return (Guess::Yes, Some(protocol.known())),
                other => guess = guess.or(other),
            }
        }
        let (by_signature, found) = signatures::stream(first);
        (guess.or(by_signature), found)
    }

    fn drop_kept(&mut self, at: usize) {
        if let Some(kept) = self.begun.get_mut(at) {
            *kept = None;
        }
    }
}

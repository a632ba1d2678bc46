//! DNS messages in a stream, each with its length before it (RFC 1035, section 4.2.2).

use super::exchange::Exchange;
use super::message::Message;
use super::probe;
use crate::flow::{Chunk, Direction};
use crate::protocols::{Budget, Buffer, Context, Guess, Parser, Step, Violation};

/// What is said in a stream.
pub(super) struct Stream {
    exchange: Exchange,
    /// Messages as far as they have come, up and down.
    sides: [Side; 2],
}

struct Side {
    kept: Buffer,
    /// How bytes were lost, if they were.
    loss: Loss,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Every message begins where the last one ended.
    None,
    /// Bytes were lost: a message may begin here.
    Unsure,
    /// Nobody knows where one begins.
    Lost,
}

impl Stream {
    pub(super) fn boxed(_: Direction, budget: &Budget) -> Box<dyn Parser> {
        let side = || Side { kept: Buffer::new(budget), loss: Loss::None };
        Box::new(Self { exchange: Exchange::new(budget), sides: [side(), side()] })
    }

    /// Takes the messages that are whole; how many bytes they were.
    fn whole(
        &mut self,
        data: &[u8],
        chunk: &Chunk<'_>,
        context: &mut Context<'_>,
    ) -> Result<usize, Violation> {
        let mut done = 0;
        while let Some(bytes) = first_message(data.get(done..).unwrap_or_default()) {
            let side = self.sides.get_mut(chunk.direction as usize);
            if let Some(side) = side.filter(|side| side.loss == Loss::Unsure) {
                side.loss = match probe::message(bytes) {
                    Guess::Yes => Loss::None,
                    _ => Loss::Lost,
                };
                if side.loss == Loss::Lost {
                    return Ok(data.len());
                }
            }
            done += 2 + bytes.len();
            let message = Message::read(bytes)?;
            self.exchange.hear(&message, chunk, context)?;
            if let Some(violation) = message.fault {
                return Err(violation);
            }
        }
        Ok(done)
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        let [up, down] = &mut self.sides;
        match direction {
            Direction::Up => up,
            Direction::Down => down,
        }
    }
}

impl Parser for Stream {
    fn feed(&mut self, chunk: &Chunk<'_>, context: &mut Context<'_>) -> Result<Step, Violation> {
        let empty = self.exchange.buffer();
        let side = self.side(chunk.direction);
        if chunk.gap > 0 {
            side.kept.clear();
            side.loss = Loss::Unsure;
        }
        if side.loss == Loss::Lost {
            return Ok(Step::More);
        }
        if side.kept.is_empty() {
            let done = self.whole(chunk.data, chunk, context)?;
            let rest = chunk.data.get(done..).unwrap_or_default();
            if !rest.is_empty() {
                self.side(chunk.direction).kept.extend(rest)?;
            }
            return Ok(Step::More);
        }
        // Out of its place while it is read. It holds less than a message, which is bounded by
        // its length, and the chunk.
        let mut kept = std::mem::replace(&mut side.kept, empty);
        kept.extend(chunk.data)?;
        let done = self.whole(kept.bytes(), chunk, context)?;
        kept.consume(done);
        self.side(chunk.direction).kept = kept;
        Ok(Step::More)
    }

    fn end(&mut self, context: &mut Context<'_>) {
        self.exchange.end(context);
    }
}

/// The message that the bytes begin with, if it is all there.
fn first_message(data: &[u8]) -> Option<&[u8]> {
    let (length, rest) = data.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

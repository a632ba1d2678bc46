//! Finding a message again after bytes were lost: line by line, so that it does not matter how the
//! bytes were cut.

use memchr::{memchr, memmem, memrchr};

use super::start::{HTTP, find_start};
use super::{Http, Moved, Partial, State};
use crate::packet::Nanos;
use crate::protocols::{Buffer, Context, Step};

/// The longest line that may be a message's first.
const LONGEST: usize = 8 << 10;

impl Http {
    /// Looks at a line; at many, if no message begins in them. `dead` if the line at hand is none.
    pub(super) fn search(
        &mut self,
        from_client: bool,
        dead: bool,
        data: &[u8],
        ts: Nanos,
        context: &mut Context<'_>,
    ) -> Moved {
        let held = self.side(from_client).partial.take();
        if held.is_none() && !dead {
            let skip = lines_without_message(data);
            if skip > 0 {
                return Ok((skip, Step::More));
            }
        }
        let Some(end) = memchr(b'\n', data) else {
            return self.hold(from_client, dead, held, data, ts, context);
        };
        self.side(from_client).state = State::Lost(false);
        let line = data.get(..end).unwrap_or_default();
        let next = end + 1;
        let Some(held) = held else {
            let found = Some(line).filter(|_| !dead && line.len() <= LONGEST);
            let found = found.and_then(|line| self.found(from_client, line));
            return Ok((found.unwrap_or(next), Step::More));
        };
        let whole = [held.bytes.bytes(), data.get(..next).unwrap_or_default()].concat();
        if whole.len() <= LONGEST + 1
            && let Some(at) =
                self.found(from_client, whole.get(..whole.len() - 1).unwrap_or_default())
        {
            let mut bytes = Buffer::new(context.budget);
            bytes.extend(whole.get(at..).unwrap_or_default())?;
            let partial = Partial { bytes, ts: held.ts, scanned: 0, started: false };
            self.side(from_client).partial = Some(Box::new(partial));
            self.side(from_client).state = State::Head;
            let (_, step) = self.more_head(from_client, &[], ts, context)?;
            return Ok((next, step));
        }
        Ok((next, Step::More))
    }

    /// Where a message begins in this line, from where the side is at one again.
    fn found(&mut self, from_client: bool, line: &[u8]) -> Option<usize> {
        let at = find_start(line, from_client)?;
        // A body may quote a reply; if nobody asks, it is no reply.
        if !from_client && self.client.certain && self.exchange.is_idle() {
            return None;
        }
        self.side(from_client).state = State::Idle;
        Some(at)
    }

    /// Keeps the beginning of a line, unless it is too long to matter.
    fn hold(
        &mut self,
        from_client: bool,
        dead: bool,
        held: Option<Box<Partial>>,
        data: &[u8],
        ts: Nanos,
        context: &mut Context<'_>,
    ) -> Moved {
        let length = held.as_ref().map_or(0, |held| held.bytes.len()) + data.len();
        if dead || length > LONGEST {
            self.side(from_client).state = State::Lost(true);
            return Ok((data.len(), Step::More));
        }
        let bytes = Buffer::new(context.budget);
        let mut held =
            held.unwrap_or_else(|| Box::new(Partial { bytes, ts, scanned: 0, started: false }));
        held.bytes.extend(data)?;
        self.side(from_client).partial = Some(held);
        Ok((data.len(), Step::More))
    }
}

/// How many bytes of whole lines stand before the first that may begin a message.
fn lines_without_message(data: &[u8]) -> usize {
    let before = memmem::find(data, HTTP).and_then(|found| data.get(..found)).unwrap_or(data);
    memrchr(b'\n', before).map_or(0, |end| end + 1)
}

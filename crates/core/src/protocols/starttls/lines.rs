//! TLS in protocols of lines: SMTP (RFC 3207), IMAP and POP3 (RFC 2595), FTP (RFC 4217).
//!
//! A client asks for it, the server agrees, and what follows is to be recognised anew. Nothing else
//! is read, and nothing after the login or the first mail, since TLS cannot follow them.

use arrayvec::ArrayVec;

use crate::flow::{Chunk, Direction};
use crate::protocols::{Budget, Context, Parser, Step, Violation};

/// Bytes of a line that are kept when it comes in pieces: what matters stands at its beginning.
const LINE: usize = 40;

/// Bytes that are read, a line costing some more than its length: TLS begins early or never.
const PATIENCE: u32 = 32 << 10;
const LINE_COST: u32 = 64;

/// First byte of a TLS handshake, and of no command.
const HANDSHAKE: u8 = 0x16;

/// How a protocol speaks of TLS.
struct Dialect {
    /// What a client says to ask for it.
    asks: &'static [&'static str],
    /// How a line begins with which the server agrees; after the client's tag, if there are tags.
    agrees: &'static str,
    /// What a client says that makes it too late for TLS if the server accepts it.
    leaves: &'static [&'static str],
    /// Beginnings of lines by which a server accepts or refuses anything else.
    accepts: &'static [&'static str],
    refuses: &'static [&'static str],
    /// Whether each command has a tag, which its answer repeats.
    tagged: bool,
}

static SMTP: Dialect = Dialect {
    asks: &["STARTTLS"],
    agrees: "220",
    leaves: &["MAIL", "AUTH", "QUIT"],
    accepts: &["2", "3"],
    refuses: &["4", "5"],
    tagged: false,
};

static FTP: Dialect = Dialect {
    asks: &["AUTH TLS", "AUTH SSL"],
    agrees: "234",
    leaves: &["PASS", "QUIT"],
    accepts: &["2"],
    refuses: &["4", "5"],
    tagged: false,
};

static POP3: Dialect = Dialect {
    asks: &["STLS"],
    agrees: "+OK",
    leaves: &["PASS", "APOP", "AUTH", "QUIT"],
    accepts: &["+OK"],
    refuses: &["-ERR"],
    tagged: false,
};

static IMAP: Dialect = Dialect {
    asks: &["STARTTLS"],
    agrees: "OK",
    leaves: &["LOGIN", "AUTHENTICATE", "LOGOUT"],
    accepts: &["OK"],
    refuses: &["NO", "BAD"],
    tagged: true,
};

type Line = ArrayVec<u8, LINE>;

/// One connection's lines.
struct Lines {
    dialect: &'static Dialect,
    /// Beginnings of the unfinished lines, up and down.
    begun: [Line; 2],
    asked: Asked,
    /// Tag of the command that waits for its answer.
    tag: Line,
    /// Bytes of the client's that are no command.
    literal: u32,
    patience: u32,
}

/// Which command waits for its answer, if it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Tls,
    /// To go where TLS cannot follow.
    Farewell,
}

pub(in crate::protocols) fn smtp(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Lines::boxed(&SMTP)
}

pub(in crate::protocols) fn ftp(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Lines::boxed(&FTP)
}

pub(in crate::protocols) fn pop3(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Lines::boxed(&POP3)
}

pub(in crate::protocols) fn imap(_: Direction, _: &Budget) -> Box<dyn Parser> {
    Lines::boxed(&IMAP)
}

impl Parser for Lines {
    fn feed(&mut self, chunk: &Chunk<'_>, _: &mut Context<'_>) -> Result<Step, Violation> {
        if chunk.gap > 0 {
            self.lost(chunk.direction);
        }
        let mut data = chunk.data;
        while !data.is_empty() {
            let step = match chunk.direction {
                Direction::Up => self.client(&mut data),
                Direction::Down => self.server(&mut data),
            };
            if step != Step::More {
                return Ok(step);
            }
        }
        Ok(Step::More)
    }

    fn end(&mut self, _: &mut Context<'_>) {}
}

impl Lines {
    fn boxed(dialect: &'static Dialect) -> Box<dyn Parser> {
        Box::new(Self {
            dialect,
            begun: [Line::new(), Line::new()],
            asked: Asked::Nothing,
            tag: Line::new(),
            literal: 0,
            patience: PATIENCE,
        })
    }

    /// Bytes are missing: the line in which they were tells nothing any more.
    fn lost(&mut self, direction: Direction) {
        if let Some(begun) = self.begun.get_mut(direction as usize) {
            begun.clear();
            // A line that begins with this is neither command nor answer.
            begun.push(0);
        }
        self.literal = 0;
    }

    fn client(&mut self, data: &mut &[u8]) -> Step {
        let skipped = data.len().min(self.literal as usize);
        self.literal -= skipped as u32;
        self.patience = self.patience.saturating_sub(skipped as u32);
        *data = data.get(skipped..).unwrap_or_default();
        let at_line = self.begun.first().is_some_and(ArrayVec::is_empty);
        if self.asked == Asked::Tls && at_line && data.first() == Some(&HANDSHAKE) {
            // The answer was missed.
            return Step::Anew(data.len());
        }
        let line = match self.line(Direction::Up, data) {
            Ok(line) => line,
            Err(step) => return step,
        };
        if self.asked == Asked::Nothing {
            self.command(&line);
        }
        if self.dialect.tagged {
            self.literal = literal(&line);
        }
        Step::More
    }

    /// A command: whether its answer matters.
    fn command(&mut self, line: &[u8]) {
        let (tag, command) = if self.dialect.tagged { tagged(line) } else { (&[][..], line) };
        let is = |words: &[&str]| words.iter().any(|word| says(command, word));
        self.asked = if is(self.dialect.asks) {
            Asked::Tls
        } else if is(self.dialect.leaves) {
            Asked::Farewell
        } else {
            return;
        };
        self.tag = tag.iter().copied().collect();
    }

    fn server(&mut self, data: &mut &[u8]) -> Step {
        let line = match self.line(Direction::Down, data) {
            Ok(line) => line,
            Err(step) => return step,
        };
        self.answer(&line, data.len())
    }

    /// A line of the server's, after which so many bytes are left.
    fn answer(&mut self, line: &[u8], left: usize) -> Step {
        let (tag, answer) = if self.dialect.tagged { tagged(line) } else { (&[][..], line) };
        // "250-" is no answer yet: its last line has a space there.
        let continues =
            answer.first().is_some_and(u8::is_ascii_digit) && answer.get(3) == Some(&b'-');
        if tag != self.tag.as_slice() || continues {
            return Step::More;
        }
        let begins = |text: &&str| answer.starts_with(text.as_bytes());
        match self.asked {
            Asked::Tls if begins(&self.dialect.agrees) => return Step::Anew(left),
            Asked::Farewell if self.dialect.accepts.iter().any(begins) => return Step::Done,
            _ => {}
        }
        if self.dialect.refuses.iter().any(begins) {
            self.asked = Asked::Nothing;
        }
        Step::More
    }

    /// Takes a line off the data, as much of its beginning as matters; or says what to do if there
    /// is none.
    fn line(&mut self, direction: Direction, data: &mut &[u8]) -> Result<Line, Step> {
        let end = data.iter().position(|byte| *byte == b'\n');
        let (piece, rest) = data.split_at(end.map_or(data.len(), |end| end + 1));
        *data = rest;
        let cost = piece.len() as u32 + if end.is_some() { LINE_COST } else { 0 };
        self.patience = self.patience.saturating_sub(cost);
        if self.patience == 0 {
            return Err(Step::Done);
        }
        let Some(begun) = self.begun.get_mut(direction as usize) else {
            return Err(Step::Done);
        };
        let room = begun.remaining_capacity();
        begun.extend(piece.iter().copied().take(room));
        if end.is_some() { Ok(std::mem::take(begun)) } else { Err(Step::More) }
    }
}

/// A line's tag and what follows it.
fn tagged(line: &[u8]) -> (&[u8], &[u8]) {
    let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    (line.get(..space).unwrap_or_default(), line.get(space + 1..).unwrap_or_default())
}

/// Whether a command begins with these words, in any case, and nothing is glued to them.
fn says(command: &[u8], words: &str) -> bool {
    let Some((said, rest)) = command.split_at_checked(words.len()) else {
        return false;
    };
    said.eq_ignore_ascii_case(words.as_bytes())
        && rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// How many bytes follow a line as a literal, if it ends with their number: {5} or {5+}.
fn literal(line: &[u8]) -> u32 {
    let number = || {
        let line = line.trim_ascii_end().strip_suffix(b"}")?;
        let line = line.strip_suffix(b"+").unwrap_or(line);
        let at = line.iter().rposition(|byte| *byte == b'{')?;
        std::str::from_utf8(line.get(at + 1..)?).ok()?.parse().ok()
    };
    number().unwrap_or(0)
}

//! All regular expressions of a service: read, put together in machines, and followed along a stream.

use std::ops::Range;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::machine::{self, BEGIN, Machine};
use crate::Error;
use crate::protocols::Guess;

/// The deepest nesting.
const DEEPEST: u32 = 100;

/// The longest pattern, in bytes.
const LONGEST: usize = 8192;

/// Machines of a service: each takes a step a byte, and a megabyte at most.
const MOST_MACHINES: usize = 64;

/// Bytes of one that errors show.
const SHOWN: usize = 80;

/// A regular expression on bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Hir);

impl Pattern {
    /// Reads one. It is of bytes: `\xff` is one byte, `.` any but a line feed, `\w` and `(?i)` are ASCII's.
    pub(super) fn new(text: &[u8]) -> Result<Self, Error> {
        let wrong = |why: String| Error::Usage(format!("pattern \"{}\": {why}", shown(text)));
        if text.len() > LONGEST {
            return Err(wrong(format!("{} bytes long, {LONGEST} at most", text.len())));
        }
        let text = std::str::from_utf8(text)
            .map_err(|_| wrong(r"write bytes that are no text as \x and two digits".to_owned()))?;
        let mut parser = ParserBuilder::new();
        let mut parser = parser.unicode(false).utf8(false).nest_limit(DEEPEST).build();
        parser.parse(text).map(Self).map_err(|error| wrong(words(&error)))
    }

    /// A machine of it alone.
    pub(super) fn machine(&self) -> Result<Machine, Error> {
        Machine::new(&[&self.0]).map_err(|_| too_large())
    }
}

/// A pattern, or its beginning.
fn shown(text: &[u8]) -> String {
    match text.get(..SHOWN) {
        Some(text) => format!("{}…", text.escape_ascii()),
        None => text.escape_ascii().to_string(),
    }
}

/// Why a pattern was not understood, in a line.
fn words(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "not understood".to_owned(),
    }
}

fn too_large() -> Error {
    Error::Usage(
        "pattern too large: make repetitions shorter, or anchor it with ^ so that it need not be looked for everywhere"
            .to_owned(),
    )
}

fn too_many() -> Error {
    Error::Usage(
        "patterns too large together: make repetitions shorter, anchor them with ^, or use fewer"
            .to_owned(),
    )
}

/// Patterns in machines, by their number.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    machines: Vec<(Range<usize>, Machine)>,
}

/// How far one connection has come in one machine.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    state: u32,
    /// Bytes that were read.
    read: usize,
    /// Patterns that hold.
    holds: u64,
    /// Whether no byte will change anything.
    done: bool,
}

/// How far one connection has come in all machines.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<Place>);

impl Patterns {
    /// Puts patterns together, as many in a machine as its bound allows. The error is of a pattern that is too large
    /// alone, with its number.
    pub(super) fn new(patterns: &[Pattern]) -> Result<Self, (usize, Error)> {
        let mut machines = Vec::new();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        ranges.push(0..patterns.len());
        while let Some(range) = ranges.pop() {
            if machines.len() == MOST_MACHINES {
                return Err((range.start, too_many()));
            }
            let hirs: Vec<&Hir> =
                patterns.get(range.clone()).into_iter().flatten().map(|one| &one.0).collect();
            if hirs.is_empty() {
                continue;
            }
            let built = (hirs.len() <= machine::MOST).then(|| Machine::new(&hirs));
            match built {
                Some(Ok(machine)) => machines.push((range, machine)),
                Some(Err(_)) if range.len() == 1 => return Err((range.start, too_large())),
                _ => {
                    let middle = usize::midpoint(range.start, range.end);
                    ranges.push(middle..range.end);
                    ranges.push(range.start..middle);
                }
            }
        }
        Ok(Self { machines })
    }

    /// Whether a pattern holds of a stream. `stream` is all there is of it, and `over` that there will be no more.
    pub(super) fn guess(
        &self,
        pattern: usize,
        stream: &[u8],
        over: bool,
        places: &mut Places,
    ) -> Guess {
        let at = self.machines.partition_point(|(range, _)| range.end <= pattern);
        let Some((range, machine)) = self.machines.get(at) else {
            return Guess::No;
        };
        if places.0.is_empty() {
            places.0 = vec![Place::default(); self.machines.len()];
        }
        let Some(place) = places.0.get_mut(at) else {
            return Guess::No;
        };
        place.go(machine, stream);
        let mark = machine.mark(place.state);
        let bit = 1_u64 << (pattern - range.start);
        if (place.holds | if over { mark.ends } else { 0 }) & bit != 0 {
            Guess::Yes
        } else if mark.may & bit != 0 {
            Guess::Maybe
        } else {
            Guess::No
        }
    }

    /// Machines, and states of all of them.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.machines.len(), self.machines.iter().map(|(_, machine)| machine.len()).sum())
    }
}

impl Place {
    /// Reads on.
    fn go(&mut self, machine: &Machine, stream: &[u8]) {
        if self.read == 0 {
            self.look(machine);
        }
        let mut rest = stream.get(self.read..).unwrap_or_default();
        while !self.done && !rest.is_empty() {
            let (state, read) = machine.run(self.state, rest);
            self.state = state;
            self.look(machine);
            rest = rest.get(read..).unwrap_or_default();
        }
        self.read = stream.len();
    }

    fn look(&mut self, machine: &Machine) {
        let mark = machine.mark(self.state);
        self.holds |= mark.holds;
        self.done = mark.may & !self.holds == 0;
    }
}

const _: () = assert!(BEGIN == 0, "a place begins there");

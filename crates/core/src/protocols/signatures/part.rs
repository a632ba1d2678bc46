//! The parts of a signature: each is true, not yet known, or false of the bytes that one end said.

use super::Guess;
use super::checks::Reader;

/// Something that must hold. Numbers are big-endian; words and texts match in any case.
pub(super) enum Part {
    /// These bytes, so many bytes in.
    At(usize, &'static [u8]),
    /// One of these, at the beginning.
    Any(&'static [&'static [u8]]),
    /// A byte within these bounds, so many bytes in.
    Byte(usize, u8, u8),
    /// A number of 16 bits within these bounds, so many bytes in.
    Be16(usize, u16, u16),
    /// A number of 32 bits within these bounds, so many bytes in.
    Be32(usize, u32, u32),
    /// The datagram is as long as the 16 bits so many bytes in say, and so many bytes longer.
    Long(usize, usize),
    /// The first word is one of these; after it a space or the end of the line.
    Word(&'static [&'static str]),
    /// A tag of the client's choice, then one of these words.
    Tagged(&'static [&'static str]),
    /// Among whole lines of text, one has the first word and not the other; none before it has the
    /// other. A line with both tells nothing, nor do those after it.
    Says(&'static str, &'static str),
    /// The first line is text and ends with this.
    Ends(&'static [u8]),
    /// What takes more than data to say.
    Check(fn(&mut Reader<'_>) -> Result<(), Guess>),
}

impl Part {
    pub(super) fn guess(&self, data: &[u8]) -> Guess {
        match *self {
            Self::At(at, bytes) => {
                data.get(at..).map_or(Guess::Maybe, |data| Guess::begins(data, bytes))
            }
            Self::Any(any) => {
                any.iter().fold(Guess::No, |guess, bytes| guess.or(Guess::begins(data, bytes)))
            }
            Self::Byte(at, low, high) => {
                number(data, at, 1, |value| (u32::from(low)..=u32::from(high)).contains(&value))
            }
            Self::Be16(at, low, high) => {
                number(data, at, 2, |value| (u32::from(low)..=u32::from(high)).contains(&value))
            }
            Self::Be32(at, low, high) => number(data, at, 4, |value| (low..=high).contains(&value)),
            Self::Long(at, more) => {
                number(data, at, 2, |value| value as usize + more == data.len())
            }
            Self::Word(words) => word(data, words),
            Self::Tagged(words) => tagged(data, words),
            Self::Says(wanted, other) => says(data, wanted.as_bytes(), other.as_bytes()),
            Self::Ends(text) => ends(data, text),
            Self::Check(check) => check(&mut Reader(data)).err().unwrap_or(Guess::Yes),
        }
    }
}

fn number(data: &[u8], at: usize, size: usize, fits: impl Fn(u32) -> bool) -> Guess {
    let Some(bytes) = data.get(at..at + size) else {
        return Guess::Maybe;
    };
    let value = bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
    if fits(value) { Guess::Yes } else { Guess::No }
}

fn word(data: &[u8], words: &[&str]) -> Guess {
    let end = data.iter().position(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let said = data.get(..end.unwrap_or(data.len())).unwrap_or_default();
    let begins = |word: &&&str| {
        word.as_bytes().get(..said.len()).is_some_and(|word| word.eq_ignore_ascii_case(said))
    };
    let mut like = words.iter().filter(begins);
    match end {
        Some(_) if like.any(|word| word.len() == said.len()) => Guess::Yes,
        None if like.next().is_some() => Guess::Maybe,
        _ => Guess::No,
    }
}

/// Longest tag believed; clients take few letters and digits.
const LONGEST_TAG: usize = 16;

fn tagged(data: &[u8], words: &[&str]) -> Guess {
    let of_tag = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let tag = data.iter().take_while(|byte| of_tag(byte)).count();
    if tag > LONGEST_TAG {
        return Guess::No;
    }
    match data.get(tag) {
        None => Guess::Maybe,
        Some(b' ') if tag > 0 => word(data.get(tag + 1..).unwrap_or_default(), words),
        Some(_) => Guess::No,
    }
}

fn says(data: &[u8], wanted: &[u8], other: &[u8]) -> Guess {
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if !is_text(line) {
            return Guess::No;
        }
        if !line.ends_with(b"\n") {
            break;
        }
        match (contains(line, wanted), contains(line, other)) {
            (true, false) => return Guess::Yes,
            (false, true) => return Guess::No,
            (true, true) => break,
            (false, false) => {}
        }
    }
    Guess::Maybe
}

fn ends(data: &[u8], text: &[u8]) -> Guess {
    let mut lines = data.split_inclusive(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    if !is_text(line) {
        return Guess::No;
    }
    let Some(line) = line.strip_suffix(b"\n") else {
        return Guess::Maybe;
    };
    if line.strip_suffix(b"\r").unwrap_or(line).ends_with(text) { Guess::Yes } else { Guess::No }
}

fn is_text(line: &[u8]) -> bool {
    line.iter().all(|byte| !byte.is_ascii_control() || matches!(byte, b'\r' | b'\n' | b'\t'))
}

/// Whether a line has this text in it, in any case. An empty text is in none.
fn contains(line: &[u8], text: &[u8]) -> bool {
    !text.is_empty() && line.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text))
}

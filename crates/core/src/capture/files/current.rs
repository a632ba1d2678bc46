//! The capture file being read: one step after the other, until it ends well or badly.

use std::io;
use std::path::PathBuf;

use super::compressed::Input;
use super::format::{Format, Identified, Step};
use super::numbering::Interfaces;
use super::warnings::Warnings;
use super::window::Window;
use crate::capture::Interface;

/// The file being read.
pub(super) struct Current {
    pub(super) path: PathBuf,
    pub(super) input: Input,
    pub(super) format: Option<Format>,
    pub(super) packets: u64,
    /// Bytes to pass over that were not read yet.
    pub(super) skip: usize,
}

/// What became of one step through the current file.
pub(super) enum Progressed {
    /// A batch can be lent.
    Packets,
    Interface(Interface),
    /// Bytes were passed over.
    Further,
    /// More bytes are needed, this many at least.
    Need(usize),
    /// The file is over.
    Over(Over),
}

/// Why a file is over.
pub(super) enum Over {
    Ended,
    Cut,
    Damaged(String),
    Not(String),
    /// Too short to hold anything.
    Nothing(String),
}

impl Current {
    /// A file of which nothing was read.
    pub(super) fn new(path: PathBuf, input: Input) -> Self {
        Self { path, input, format: None, packets: 0, skip: 0 }
    }

    /// Makes what it can of the bytes in the window.
    pub(super) fn step(&mut self, window: &mut Window, interfaces: &mut Interfaces) -> Progressed {
        if self.skip > 0 {
            let count = self.skip.min(window.bytes().len());
            window.consume(count);
            self.skip -= count;
            return if self.skip > 0 { Progressed::Need(1) } else { Progressed::Further };
        }
        let Some(format) = &mut self.format else {
            return self.identify(window);
        };
        match format.step(window.bytes(), interfaces) {
            Step::Packet => Progressed::Packets,
            Step::Need(need) => Progressed::Need(need),
            Step::Damaged(why) => Progressed::Over(Over::Damaged(why)),
            Step::Skip(count, interface) => {
                self.skip = count;
                interface.map_or(Progressed::Further, Progressed::Interface)
            }
        }
    }

    pub(super) fn identify(&mut self, window: &Window) -> Progressed {
        match Format::identify(window.bytes()) {
            Identified::Need(need) => Progressed::Need(need),
            Identified::As(format, header) => {
                self.format = Some(format);
                self.skip = header;
                Progressed::Further
            }
            Identified::Not(what) => Progressed::Over(Over::Not(match self.input.compression() {
                Some(packed) => format!("{packed} of something that is {what}"),
                None => what,
            })),
        }
    }

    /// What it means that nothing follows the bytes in the window.
    pub(super) fn at_end(&self, rest: &[u8]) -> Over {
        match &self.format {
            Some(_) if rest.is_empty() && self.skip == 0 => Over::Ended,
            Some(_) => Over::Cut,
            None => Over::Nothing(too_short(rest)),
        }
    }

    /// What a failure to read means, unless it is the system's.
    pub(super) fn failed(&self, error: &io::Error) -> Option<Over> {
        if error.raw_os_error().is_some() {
            return None;
        }
        let packed = self.input.compression().unwrap_or("its");
        Some(match &self.format {
            None => Over::Nothing(format!("{packed} data that cannot be unpacked ({error})")),
            Some(_) if error.kind() == io::ErrorKind::UnexpectedEof => Over::Cut,
            Some(_) => Over::Damaged(format!("{packed} data: {error}")),
        })
    }

    /// Tells what was passed over.
    pub(super) fn report(&self, warnings: &mut Warnings) {
        for line in self.format.iter().flat_map(Format::passed_over) {
            warnings.push(format!("{}: {line}", self.path.display()));
        }
    }
}

/// Says why so few bytes are no capture.
fn too_short(bytes: &[u8]) -> String {
    match bytes.len() {
        0 => "empty, no capture".to_owned(),
        1 => "only 1 byte, no capture".to_owned(),
        count => format!("only {count} bytes, no capture"),
    }
}

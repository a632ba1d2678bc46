//! What a reader of a capture should be told, not more of it than can be read.

/// Lines kept; later ones are counted.
const MAX_LINES: usize = 100;

/// A bounded list of lines.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    lines: Vec<String>,
    more: u64,
}

impl Warnings {
    pub(super) fn push(&mut self, line: String) {
        if self.lines.len() < MAX_LINES {
            self.lines.push(line);
        } else {
            self.more += 1;
        }
    }

    /// All lines, and how many there would have been more.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = self.lines.clone();
        if self.more > 0 {
            lines.push(format!("{} more warnings", self.more));
        }
        lines
    }
}

//! The read buffer: a file's bytes pass through it in large pieces, packets borrow from it.

use std::io::{self, Read};

/// Bytes read at a time.
const PIECE: usize = 1 << 18;

/// A stretch of a stream. Grows only to hold one record whole, never beyond what the
/// formats allow for one.
#[derive(Debug)]
pub(super) struct Window {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self::with_capacity(PIECE)
    }

    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { buffer: vec![0; bytes], start: 0, end: 0 }
    }

    /// The bytes read and not consumed.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Forgets the first `count` bytes, or all if there are fewer.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start.saturating_add(count));
    }

    /// Consumes as many bytes as `read` says it has made use of, and lends them on.
    #[inline]
    pub(super) fn lend<'a, T>(&'a mut self, read: impl FnOnce(&'a [u8]) -> (T, usize)) -> T {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        let (result, used) = read(bytes);
        self.start = self.end.min(self.start.saturating_add(used));
        result
    }

    /// Reads once, keeping room for a record of `need` bytes. Gives the bytes read, 0 at
    /// the end.
    pub(super) fn fill(&mut self, input: &mut impl Read, need: usize) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if need > self.buffer.len() {
            self.buffer.resize(need, 0);
        }
        let space = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = input.read(space)?.min(space.len());
        self.end += count;
        Ok(count)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

//! Texts of a message that wait until its row can be written: in one piece of memory.

use crate::protocols::{Budget, Buffer, Violation};

/// `N` texts, each of which may be missing.
#[derive(Debug)]
pub(super) struct Fields<const N: usize> {
    text: Buffer,
    /// Where each ends; the highest bit says that it is missing.
    ends: [u32; N],
}

const MISSING: u32 = 1 << 31;

impl<const N: usize> Fields<N> {
    /// All missing; takes no memory.
    pub(super) fn none(budget: &Budget) -> Self {
        Self { text: Buffer::new(budget), ends: [MISSING; N] }
    }

    /// Copies texts.
    pub(super) fn keep(budget: &Budget, texts: [Option<&[u8]>; N]) -> Result<Self, Violation> {
        let mut kept = Self::none(budget);
        kept.text.reserve(texts.iter().flatten().map(|text| text.len()).sum())?;
        for (text, end) in texts.into_iter().zip(&mut kept.ends) {
            kept.text.extend(text.unwrap_or_default())?;
            *end = kept.text.len() as u32 | if text.is_none() { MISSING } else { 0 };
        }
        Ok(kept)
    }

    /// The text in this place.
    pub(super) fn get(&self, at: usize) -> Option<&[u8]> {
        let end = self.ends.get(at).filter(|end| **end & MISSING == 0)?;
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let from = before.map_or(0, |before| before & !MISSING);
        self.text.bytes().get(from as usize..*end as usize)
    }
}

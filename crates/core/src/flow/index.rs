//! From a key's hash to the slot of its flow: open addressing, eight bytes an entry.

/// A slot of the slab.
pub type Slot = u32;

/// Maps 32-bit tags (a hash's low half) to slots. Two flows may share a tag: the caller
/// compares keys.
pub(super) struct Index {
    /// `tag << 32 | slot + 1`; 0 is empty.
    entries: Vec<u64>,
    mask: usize,
    used: usize,
}

const SMALLEST: usize = 1 << 10;

impl Index {
    /// An empty index.
    pub(super) fn new() -> Self {
        Self { entries: vec![0; SMALLEST], mask: SMALLEST - 1, used: 0 }
    }

    /// The first slot whose tag is `hash`'s and for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(Slot) -> bool) -> Option<Slot> {
        let tag = hash as u32;
        let mut at = tag as usize & self.mask;
        loop {
            let entry = self.entries.get(at).copied().unwrap_or(0);
            if entry == 0 {
                return None;
            }
            if (entry >> 32) as u32 == tag && is_it(entry as u32 - 1) {
                return Some(entry as u32 - 1);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// The slot that stands first for a tag, whosever it is: a hint for fetching ahead.
    #[inline]
    pub(super) fn hint(&self, hash: u64) -> Option<Slot> {
        let entry = self.entries.get(hash as u32 as usize & self.mask).copied().unwrap_or(0);
        (entry as u32).checked_sub(1)
    }

    /// Adds a slot under a hash. The caller has made sure that its key is new.
    pub(super) fn insert(&mut self, hash: u64, slot: Slot) {
        if (self.used + 1) * 3 > self.entries.len() * 2 {
            self.grow();
        }
        place(&mut self.entries, self.mask, u64::from(hash as u32) << 32 | u64::from(slot + 1));
        self.used += 1;
    }

    /// Takes a slot out, closing the gap so that later entries stay reachable.
    pub(super) fn remove(&mut self, hash: u64, slot: Slot) {
        let wanted = u64::from(hash as u32) << 32 | u64::from(slot + 1);
        let mut gap = hash as u32 as usize & self.mask;
        loop {
            match self.entries.get(gap).copied() {
                Some(entry) if entry == wanted => break,
                Some(0) | None => return,
                Some(_) => gap = (gap + 1) & self.mask,
            }
        }
        self.used -= 1;
        let mut at = gap;
        loop {
            at = (at + 1) & self.mask;
            let entry = self.entries.get(at).copied().unwrap_or(0);
            if entry == 0 {
                break;
            }
            let home = (entry >> 32) as usize & self.mask;
            // An entry may move back only as far as its home.
            if (at.wrapping_sub(home) & self.mask) >= (at.wrapping_sub(gap) & self.mask) {
                self.set(gap, entry);
                gap = at;
            }
        }
        self.set(gap, 0);
    }

    fn set(&mut self, at: usize, entry: u64) {
        if let Some(place) = self.entries.get_mut(at) {
            *place = entry;
        }
    }

    fn grow(&mut self) {
        let mask = self.entries.len() * 2 - 1;
        let mut entries = vec![0; mask + 1];
        for &entry in self.entries.iter().filter(|&&entry| entry != 0) {
            place(&mut entries, mask, entry);
        }
        self.entries = entries;
        self.mask = mask;
    }
}

fn place(entries: &mut [u64], mask: usize, entry: u64) {
    let mut at = (entry >> 32) as usize & mask;
    while let Some(there) = entries.get_mut(at) {
        if *there == 0 {
            *there = entry;
            return;
        }
        at = (at + 1) & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Against a map that is known to be right; few tags, so that they collide.
        #[test]
        fn behaves_like_a_map(steps in proptest::collection::vec((any::<bool>(), 0u64..40, 0u32..8), 1..2000)) {
            let mut index = Index::new();
            let mut model: HashMap<u32, u64> = HashMap::new();
            for (add, tag, low) in steps {
                let slot = tag as u32 * 8 + low;
                let hash = tag * 0x3fd;
                match (add, model.contains_key(&slot)) {
                    (true, false) => { index.insert(hash, slot); model.insert(slot, hash); }
                    (false, true) => { index.remove(hash, slot); model.remove(&slot); }
                    _ => {}
                }
            }
            for slot in 0..320u32 {
                let hash = u64::from(slot / 8) * 0x3fd;
                prop_assert_eq!(index.find(hash, |found| found == slot).is_some(), model.contains_key(&slot));
            }
            prop_assert_eq!(index.used, model.len());
        }
    }

    #[test]
    fn grows_and_finds_all() {
        let mut index = Index::new();
        for slot in 0..100_000u32 {
            index.insert(u64::from(slot).wrapping_mul(0x9e37_79b9), slot);
        }
        for slot in 0..100_000u32 {
            let hash = u64::from(slot).wrapping_mul(0x9e37_79b9);
            assert_eq!(index.find(hash, |found| found == slot), Some(slot));
        }
    }
}

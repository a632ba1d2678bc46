//! Connections by number: a number that was given anew is told from the old one.

/// Where a connection lies, and which one it is of those that lay there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) at: u32,
    pub(super) generation: u32,
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// A list with holes that are filled again.
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

/// Generations are told apart by so many bits, so that key and side fit into a token.
const GENERATIONS: u32 = (1 << 30) - 1;

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// A key for a value that is put there afterwards.
    pub(super) fn reserve(&mut self) -> Key {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, value: None });
            self.slots.len() as u32 - 1
        });
        let generation = self.slots.get(at as usize).map_or(0, |slot| slot.generation);
        Key { at, generation }
    }

    /// Takes a value out, to be put back or released.
    pub(super) fn take(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.at as usize)?;
        if slot.generation == key.generation { slot.value.take() } else { None }
    }

    pub(super) fn put(&mut self, key: Key, value: T) {
        if let Some(slot) = self.slots.get_mut(key.at as usize) {
            slot.value = Some(value);
        }
    }

    /// The key counts no more.
    pub(super) fn release(&mut self, key: Key) {
        if let Some(slot) = self.slots.get_mut(key.at as usize) {
            slot.value = None;
            slot.generation = (slot.generation + 1) & GENERATIONS;
            self.free.push(key.at);
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.at as usize)?;
        slot.value.as_ref().filter(|_| slot.generation == key.generation)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }

    /// Keys of all values.
    pub(super) fn keys(&self) -> Vec<Key> {
        let slots = self.slots.iter().enumerate().filter(|(_, slot)| slot.value.is_some());
        slots.map(|(at, slot)| Key { at: at as u32, generation: slot.generation }).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_finds_nothing() {
        let mut slots = Slots::default();
        let old = slots.reserve();
        slots.put(old, 'a');
        slots.release(old);
        let new = slots.reserve();
        slots.put(new, 'b');
        assert_eq!(old.at, new.at);
        assert_eq!((slots.take(old), slots.get(new)), (None, Some(&'b')));
        assert_eq!(slots.len(), 1);
    }
}

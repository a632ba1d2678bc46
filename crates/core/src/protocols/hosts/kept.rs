//! A map with a bound, of which the oldest half goes when it is full.

use std::collections::HashMap;
use std::hash::Hash;

/// Two generations: the younger takes what is new or was asked for, and when it is full, it becomes
/// the older one and the former older one is forgotten. So nothing is searched for the oldest.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Entries that a generation has room for.
    room: usize,
}

impl<K: Eq + Hash, V> Kept<K, V> {
    /// Room for so many entries.
    pub(super) fn new(max: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), room: (max / 2).max(1) }
    }

    /// What stands under a key, which thereby becomes one of the youngest.
    pub(super) fn get(&mut self, key: &K) -> Option<&mut V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    /// Puts a value under a key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.room && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Takes out what stands under a key.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn the_oldest_half_goes_and_what_is_asked_for_stays() {
        let mut kept = Kept::new(4);
        for number in 0..3 {
            kept.insert(number, number * 10);
        }
        assert_eq!(kept.get(&0).copied(), Some(0));
        kept.insert(3, 30);
        assert_eq!([0, 1, 2, 3].map(|key| kept.get(&key).is_some()), [true, false, true, true]);
        assert_eq!((kept.take(&0), kept.take(&0)), (Some(0), None));
    }

    #[test]
    fn there_are_never_more_than_the_bound() {
        let mut kept = Kept::new(100);
        for number in 0..10_000_u32 {
            kept.insert(number, ());
            kept.get(&(number / 2));
            assert!(kept.young.len() + kept.old.len() <= 100);
        }
    }
}

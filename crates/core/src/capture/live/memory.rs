//! How the kernel memory for packets is shared by interfaces that come and go.

/// The budget and what is taken of it, in bytes.
#[derive(Debug)]
pub(super) struct Memory {
    budget: usize,
    least: usize,
    taken: usize,
    /// What each gets where it is known how many there will be.
    fixed: Option<usize>,
}

impl Memory {
    /// For `count` interfaces at the start, none of which takes less than `least`. If `more`
    /// may come, a quarter is kept for them.
    pub(super) fn new(budget: usize, least: usize, count: usize, more: bool) -> (Self, usize) {
        let shared = if more { budget / 4 * 3 } else { budget };
        let first = (shared / count.max(1)).max(least);
        (Self { budget, least, taken: 0, fixed: (!more).then_some(first) }, first)
    }

    /// What one gets that comes later: half of what is left, so that something is left for the
    /// next; the least even past the budget.
    pub(super) fn next(&self) -> usize {
        let left = self.budget.saturating_sub(self.taken);
        self.fixed.unwrap_or(left / 2).max(self.least)
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.taken += bytes;
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_interfaces_have_equal_shares_again_and_again() {
        let (mut memory, first) = Memory::new(64, 4, 2, false);
        assert_eq!(first, 32);
        memory.take(first);
        memory.take(first);
        assert_eq!(memory.next(), 32);
    }

    #[test]
    fn those_that_come_later_stay_within_the_budget_while_it_lasts() {
        let (mut memory, first) = Memory::new(64 << 20, 256 << 10, 2, true);
        assert_eq!(first, 24 << 20);
        memory.take(2 * first);
        let mut later = Vec::new();
        for _ in 0..8 {
            later.push(memory.next());
            memory.take(memory.next());
        }
        assert_eq!(later.first(), Some(&(8 << 20)));
        assert_eq!(later.last(), Some(&(256 << 10)));
        assert!(later.iter().sum::<usize>() <= (16 << 20) + (2 << 20));
        memory.give_back(first);
        assert!(memory.next() > 8 << 20);
    }
}

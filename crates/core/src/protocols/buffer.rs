//! Bytes that parsers keep between chunks: bounded one by one, and all together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Violation;

/// Memory that all parsers of an engine share.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// Room for `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, used: AtomicUsize::new(0) }))
    }

    /// Bytes held now.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Reserves memory, unless that is too much.
    fn take(&self, bytes: usize) -> Result<(), Violation> {
        let used = self.0.used.fetch_add(bytes, Ordering::Relaxed);
        if used + bytes > self.0.limit {
            self.give_back(bytes);
            return Err(Violation("parser buffers full"));
        }
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes that wait for more of their kind. Their memory is the budget's, and goes back to it.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// Bytes of memory reserved.
    reserved: usize,
    budget: Budget,
}

impl Buffer {
    /// An empty buffer, which takes no memory.
    pub fn new(budget: &Budget) -> Self {
        Self { bytes: Vec::new(), reserved: 0, budget: budget.clone() }
    }

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are in it.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends bytes; fails if the budget has no room for them. How long a buffer may become is
    /// for its owner to check first.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.reserve(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes room for so many bytes more, at once; fails if the budget has none.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), Violation> {
        let need = self.bytes.len() + bytes;
        if need > self.reserved {
            let room = need.next_power_of_two().max(64);
            self.budget.take(room - self.reserved)?;
            self.reserved = room;
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        Ok(())
    }

    /// Forgets the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        if count >= self.bytes.len() {
            self.clear();
        } else {
            self.bytes.drain(..count);
        }
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        self.bytes = Vec::new();
        self.budget.give_back(std::mem::take(&mut self.reserved));
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.budget.give_back(self.reserved);
    }
}

/// Memory that a parser holds in another form than a [`Buffer`].
#[derive(Debug)]
pub struct Reserved {
    bytes: usize,
    budget: Budget,
}

impl Reserved {
    /// None yet.
    pub fn new(budget: &Budget) -> Self {
        Self { bytes: 0, budget: budget.clone() }
    }

    /// Says how many bytes are held now; fails if the budget has no room for them.
    pub fn set(&mut self, bytes: usize) -> Result<(), Violation> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.budget.take(more)?,
            None => self.budget.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

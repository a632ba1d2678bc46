//! Where flows lie: chunks that never move, with freed slots used again.

use super::Flow;
use super::index::Slot;

/// Flows per chunk: about a megabyte, so that a growing table copies nothing.
const CHUNK: usize = 1 << 12;

/// Flows by slot. A freed slot keeps a dead flow until it is used again.
#[derive(Default)]
pub(super) struct Slab {
    chunks: Vec<Vec<Flow>>,
    free: Vec<Slot>,
    len: u32,
}

impl Slab {
    /// Live flows.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// One past the highest slot ever used.
    pub(super) fn slots(&self) -> Slot {
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        (full + self.chunks.last().map_or(0, Vec::len)) as Slot
    }

    /// The flow in a slot, dead or alive.
    #[inline]
    pub(super) fn get(&self, slot: Slot) -> Option<&Flow> {
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)
    }

    /// The flow in a slot, dead or alive.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Flow> {
        self.chunks.get_mut(slot as usize / CHUNK)?.get_mut(slot as usize % CHUNK)
    }

    /// Takes a flow in and names its slot.
    pub(super) fn insert(&mut self, flow: Flow) -> Slot {
        self.len += 1;
        if let Some(slot) = self.free.pop() {
            if let Some(place) = self.get_mut(slot) {
                *place = flow;
            }
            return slot;
        }
        let slot = self.slots();
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(flow),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(flow);
                self.chunks.push(chunk);
            }
        }
        slot
    }

    /// Gives a slot back; the flow in it stays readable until the slot is used again.
    pub(super) fn remove(&mut self, slot: Slot) {
        if let Some(flow) = self.get_mut(slot) {
            flow.alive = false;
            flow.extra = None;
            flow.talk = None;
            self.len -= 1;
            self.free.push(slot);
        }
    }

    /// Every live flow with its slot, in slot order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Flow)> {
        let all = self.chunks.iter().flatten().enumerate();
        all.filter(|(_, flow)| flow.alive).map(|(slot, flow)| (slot as Slot, flow))
    }
}

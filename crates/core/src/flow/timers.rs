//! One wheel of timers for all flows: when to look at a flow again.
//!
//! A flow sits in the slot of its deadline. Packets do not move it: when its slot comes
//! round, a flow that has been active since is put where its new deadline is. Only a
//! deadline that comes *nearer* (a RST, a second FIN) moves a flow at once.

use super::index::Slot;
use super::slab::Slab;
use crate::packet::Nanos;

/// Length of one step of the wheel.
pub(super) const TICK: Nanos = 100_000_000;
/// Steps of the wheel: 409.6 s, beyond every default timeout. A later deadline is looked at
/// once a turn.
const STEPS: i64 = 4096;

const NONE: Slot = Slot::MAX;

/// A flow's place in the wheel: the neighbours in its step's list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    next: Slot,
    previous: Slot,
    step: u16,
}

impl Default for Timer {
    fn default() -> Self {
        Self { next: NONE, previous: NONE, step: 0 }
    }
}

/// The wheel.
pub(super) struct Timers {
    heads: Vec<Slot>,
    /// The last step whose flows were looked at.
    now: Option<i64>,
}

impl Timers {
    /// An empty wheel that does not know the time yet.
    pub(super) fn new() -> Self {
        Self { heads: vec![NONE; STEPS as usize], now: None }
    }

    /// Moves on to `now` and takes out every flow whose step has come: the caller must
    /// look at each and either end it or schedule it again.
    #[inline]
    pub(super) fn advance(&mut self, now: Nanos, slab: &mut Slab, due: &mut Vec<Slot>) {
        let tick = now.div_euclid(TICK);
        match self.now {
            Some(last) if tick <= last => {}
            Some(last) => self.turn(last, tick, slab, due),
            None => self.now = Some(tick),
        }
    }

    fn turn(&mut self, last: i64, tick: i64, slab: &mut Slab, due: &mut Vec<Slot>) {
        // After a whole turn every step has been looked at.
        let first = last.max(tick - STEPS) + 1;
        for step in first..=tick {
            let Some(head) = self.heads.get_mut(step.rem_euclid(STEPS) as usize) else {
                continue;
            };
            let mut slot = std::mem::replace(head, NONE);
            while slot != NONE {
                due.push(slot);
                let Some(flow) = slab.get_mut(slot) else {
                    break;
                };
                slot = flow.timer.next;
                flow.timer = Timer::default();
            }
        }
        self.now = Some(tick);
    }

    /// Puts a flow where `deadline` is. It must not be in the wheel.
    pub(super) fn schedule(&mut self, slot: Slot, deadline: Nanos, slab: &mut Slab) {
        let now = self.now.unwrap_or_else(|| deadline.div_euclid(TICK));
        // Rounded up: a flow is looked at when its deadline has passed.
        let step = (deadline.div_euclid(TICK) + 1).clamp(now + 1, now + STEPS - 1);
        let step = step.rem_euclid(STEPS) as u16;
        let Some(head) = self.heads.get_mut(usize::from(step)) else {
            return;
        };
        let next = std::mem::replace(head, slot);
        if let Some(flow) = slab.get_mut(slot) {
            flow.timer = Timer { next, previous: NONE, step };
        }
        if let Some(neighbour) = slab.get_mut(next) {
            neighbour.timer.previous = slot;
        }
    }

    /// Takes a flow out of the wheel.
    pub(super) fn cancel(&mut self, slot: Slot, slab: &mut Slab) {
        let Some(timer) = slab.get_mut(slot).map(|flow| std::mem::take(&mut flow.timer)) else {
            return;
        };
        if let Some(next) = slab.get_mut(timer.next) {
            next.timer.previous = timer.previous;
        }
        match slab.get_mut(timer.previous) {
            Some(previous) => previous.timer.next = timer.next,
            None => {
                if let Some(head) =
                    self.heads.get_mut(usize::from(timer.step)).filter(|head| **head == slot)
                {
                    *head = timer.next;
                }
            }
        }
    }
}

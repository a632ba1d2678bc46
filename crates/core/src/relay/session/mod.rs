//! One connection's course without I/O: what happened comes in, what is to be done goes out.

mod events;

pub use events::{Command, Event, Phase, cause};

use super::moment::Moment;
use super::plan::{Refusal, Timeouts};
use crate::flow::Direction;
use crate::packet::Nanos;

/// How long a client that still talks is listened to after its answer is complete, so that closing
/// does not destroy what it has not read yet.
const LINGER: Nanos = 5_000_000_000;

/// Time between two bytes for one who is held in the tarpit.
const DRIP: Nanos = 5_000_000_000;

/// One direction.
// Its facts are independent of each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    /// Bytes that came from the sender.
    pub bytes: u64,
    /// The sender is done.
    pub ended: bool,
    /// The receiver takes nothing more: what comes is thrown away.
    pub dead: bool,
    /// Bytes wait for the receiver.
    pub waiting: bool,
    /// The receiver was told that the sender is done.
    finished: bool,
    /// When the receiver last took something, or began to be waited for.
    moved: Nanos,
}

impl Way {
    fn is_over(&self) -> bool {
        self.ended && !self.waiting
    }
}

/// A connection's course.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    /// When it was accepted.
    began: Nanos,
    /// When its phase began.
    since: Nanos,
    /// When something last passed.
    heard: Nanos,
    /// Why it will end when nothing waits any more; of a call that failed, why it did.
    fault: Option<&'static str>,
    /// Held in the tarpit: when the next byte is due.
    drip: Moment,
    /// From the client.
    pub up: Way,
    /// To the client.
    pub down: Way,
}

impl Session {
    /// One that was just accepted.
    pub fn new(now: Nanos) -> Self {
        Self {
            phase: Phase::Header,
            began: now,
            since: now,
            heard: now,
            fault: None,
            drip: Moment::NEVER,
            up: Way::default(),
            down: Way::default(),
        }
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// When it was accepted.
    pub fn began(&self) -> Nanos {
        self.began
    }

    /// When something last passed.
    pub fn heard(&self) -> Nanos {
        self.heard
    }

    /// A direction.
    pub fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// Takes what happened; says what to do about it.
    pub fn on(&mut self, event: Event, now: Nanos, timeouts: &Timeouts) -> Command {
        match event {
            _ if self.phase == Phase::Over => Command::Nothing,
            Event::Begin { looks } => self.begin(looks, now),
            Event::Read(direction, bytes) => self.read(direction, bytes, now),
            Event::Ended(direction) => {
                self.way_mut(direction).ended = true;
                self.heard = now;
                self.ended(now)
            }
            Event::Broken(direction) => self.broken(direction, now),
            Event::Deaf(direction) => self.deaf(direction, now),
            Event::Waiting(direction) => {
                let way = self.way_mut(direction);
                if !way.waiting {
                    way.moved = now;
                }
                way.waiting = true;
                Command::Nothing
            }
            Event::Moved(direction) => {
                self.way_mut(direction).moved = now;
                self.heard = now;
                Command::Nothing
            }
            Event::Drained(direction) => {
                self.way_mut(direction).waiting = false;
                self.heard = now;
                self.settle(now)
            }
            Event::Taken => self.call(now),
            Event::Refused(refusal, cause) => self.refused(refusal, cause, now),
            Event::Connected => {
                self.enter(Phase::Relaying, now);
                self.heard = now;
                self.fault = None;
                self.settle(now)
            }
            Event::Failed(cause) => {
                self.fault = Some(cause);
                self.call(now)
            }
            Event::NoTarget => self.close(self.fault.unwrap_or(cause::NO_BACKEND)),
            Event::Close(cause) => self.close(cause),
            Event::Time => self.time(now, timeouts),
        }
    }

    /// When to look again if nothing happens; `None` never.
    pub fn deadline(&self, timeouts: &Timeouts) -> Option<Nanos> {
        let phase = match self.phase {
            Phase::Over => return None,
            Phase::Header => Some(self.since.saturating_add(timeouts.detect)),
            Phase::Looking => Some(self.looks_until(timeouts)),
            Phase::Connecting => Some(self.since.saturating_add(timeouts.connect)),
            Phase::Relaying => self.relays_until(timeouts).map(|(at, _)| at),
            Phase::Held => {
                let end = self.since.saturating_add(timeouts.tarpit);
                return Some(self.drip.get().map_or(end, |drip| drip.min(end)));
            }
        };
        let life = timeouts.lifetime.map(|span| self.began.saturating_add(span));
        [phase, life].into_iter().flatten().min()
    }

    fn enter(&mut self, phase: Phase, now: Nanos) {
        self.phase = phase;
        self.since = now;
    }

    fn begin(&mut self, looks: bool, now: Nanos) -> Command {
        if !looks {
            return Command::Judge { over: true };
        }
        self.enter(Phase::Looking, now);
        // Who it is may be enough.
        Command::Judge { over: self.up.ended }
    }

    fn call(&mut self, now: Nanos) -> Command {
        self.enter(Phase::Connecting, now);
        Command::Connect
    }

    fn read(&mut self, direction: Direction, bytes: usize, now: Nanos) -> Command {
        // From the first byte on, whole requests are waited for.
        if self.phase == Phase::Looking && self.up.bytes == 0 {
            self.since = now;
        }
        self.way_mut(direction).bytes += bytes as u64;
        self.heard = now;
        match self.phase {
            Phase::Looking => Command::Judge { over: false },
            _ => Command::Nothing,
        }
    }

    fn ended(&mut self, now: Nanos) -> Command {
        match self.phase {
            Phase::Header => self.close(cause::PROXY_HEADER),
            Phase::Looking => Command::Judge { over: true },
            Phase::Held => self.close(self.fault.unwrap_or(cause::FIN)),
            Phase::Relaying => self.settle(now),
            Phase::Connecting | Phase::Over => Command::Nothing,
        }
    }

    fn broken(&mut self, direction: Direction, now: Nanos) -> Command {
        let cause = match direction {
            Direction::Up => cause::CLIENT_RESET,
            Direction::Down => cause::BACKEND_RESET,
        };
        if self.phase != Phase::Relaying {
            return self.close(self.fault.filter(|_| self.phase == Phase::Held).unwrap_or(cause));
        }
        self.fault.get_or_insert(cause);
        self.way_mut(direction).ended = true;
        let back = self.way_mut(direction.reverse());
        back.dead = true;
        back.ended = true;
        back.waiting = false;
        self.settle(now)
    }

    /// Whoever takes nothing more may still have said something that was not read yet.
    fn deaf(&mut self, direction: Direction, now: Nanos) -> Command {
        let way = self.way_mut(direction);
        way.dead = true;
        way.waiting = false;
        self.settle(now)
    }

    fn refused(&mut self, refusal: Refusal, cause: &'static str, now: Nanos) -> Command {
        match refusal {
            Refusal::Close | Refusal::Wait => self.close(cause),
            Refusal::Reset => self.reset(cause),
            Refusal::Silent | Refusal::Tarpit => {
                self.fault = Some(cause);
                self.enter(Phase::Held, now);
                if refusal == Refusal::Tarpit {
                    self.drip = Moment::at(now.saturating_add(DRIP));
                }
                Command::Nothing
            }
        }
    }

    /// What follows when something ended or was passed on.
    fn settle(&mut self, now: Nanos) -> Command {
        if self.phase != Phase::Relaying {
            return Command::Nothing;
        }
        let (up, down) = (self.up, self.down);
        if let Some(fault) = self.fault
            && !up.waiting
            && !down.waiting
        {
            return self.reset(fault);
        }
        if up.is_over() && down.is_over() {
            return self.close(if up.dead { cause::BACKEND_RESET } else { cause::FIN });
        }
        if down.dead && up.is_over() {
            return self.close(cause::CLIENT_RESET);
        }
        if down.dead && up.dead {
            return self.reset(cause::CLIENT_RESET);
        }
        for direction in [Direction::Up, Direction::Down] {
            let way = self.way_mut(direction);
            if way.is_over() && !way.finished && !way.dead {
                way.finished = true;
                self.since = now;
                return Command::Finish(direction);
            }
        }
        Command::Nothing
    }

    fn time(&mut self, now: Nanos, timeouts: &Timeouts) -> Command {
        if timeouts.lifetime.is_some_and(|span| now >= self.began.saturating_add(span)) {
            return self.close(cause::LIFETIME);
        }
        if self.deadline(timeouts).is_none_or(|at| now < at) {
            return Command::Nothing;
        }
        match self.phase {
            Phase::Header => self.close(cause::PROXY_HEADER),
            Phase::Looking => Command::Judge { over: true },
            Phase::Connecting => {
                self.fault = Some(cause::CONNECT_TIMEOUT);
                self.call(now)
            }
            Phase::Relaying => {
                let cause = self.relays_until(timeouts).map_or(cause::IDLE, |(_, cause)| cause);
                self.close(cause)
            }
            Phase::Held => self.held(now, timeouts),
            Phase::Over => Command::Nothing,
        }
    }

    fn held(&mut self, now: Nanos, timeouts: &Timeouts) -> Command {
        if now >= self.since.saturating_add(timeouts.tarpit) {
            return self.close(self.fault.unwrap_or(cause::RULE));
        }
        self.drip = Moment::at(now.saturating_add(DRIP));
        Command::Drip
    }

    fn looks_until(&self, timeouts: &Timeouts) -> Nanos {
        let span = if self.up.bytes > 0 { timeouts.detect } else { timeouts.first_byte };
        self.since.saturating_add(span)
    }

    /// The nearest of all reasons to end, and its name.
    fn relays_until(&self, timeouts: &Timeouts) -> Option<(Nanos, &'static str)> {
        let after = |at: Nanos, span: Option<Nanos>, cause| {
            span.map(|span| (at.saturating_add(span), cause))
        };
        let half = self.up.ended || self.down.ended;
        let quiet = if half {
            after(self.heard, timeouts.half_closed, cause::HALF_CLOSED)
        } else {
            after(self.heard, timeouts.idle, cause::IDLE)
        };
        let stall = |way: &Way| {
            let stalled = after(way.moved, timeouts.write_stall, cause::WRITE_STALL);
            stalled.filter(|_| way.waiting)
        };
        let answered = self.up.dead && self.down.finished;
        let lingers = answered.then(|| (self.since.saturating_add(LINGER), cause::BACKEND_RESET));
        let all = [quiet, stall(&self.up), stall(&self.down), lingers];
        all.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn close(&mut self, cause: &'static str) -> Command {
        self.phase = Phase::Over;
        Command::Close(cause)
    }

    fn reset(&mut self, cause: &'static str) -> Command {
        self.phase = Phase::Over;
        Command::Reset(cause)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests;

//! One relayed connection's course: whatever sockets, backends, people and clocks do, in any order that they can.
//!
//! Input: six bytes of timeouts, then two bytes a step: what happens (as far as it can happen now), and how much later.
#![no_main]

use tidegate_core::flow::Direction::{self, Down, Up};
use tidegate_core::relay::plan::{Refusal, Timeouts};
use tidegate_core::relay::session::{Command, Event, Phase, Session, cause};

const SECOND: i64 = 1_000_000_000;

/// Looks that an ending may take when nothing happens any more: a minute of tarpit in drips, a dozen targets.
const PATIENCE: usize = 64;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((head, steps)) = input.split_first_chunk::<6>() else {
        return;
    };
    let mut play = Play::new(timeouts(*head), usize::from(head[5] >> 5));
    for step in steps.chunks_exact(2) {
        play.now += i64::from(step[1]) * i64::from(step[1]) * SECOND / 64;
        play.step(step[0]);
    }
    play.wait_for_the_end();
});

/// All of them set, so that every connection has to end by itself.
fn timeouts(bytes: [u8; 6]) -> Timeouts {
    let span = |byte: u8| (1 + i64::from(byte)) * SECOND / 4;
    Timeouts {
        connect: span(bytes[0]),
        first_byte: span(bytes[1]),
        detect: span(bytes[2]),
        idle: Some(span(bytes[3])),
        half_closed: Some(span(bytes[4])),
        write_stall: Some(span(bytes[0])),
        lifetime: (bytes[5] & 1 == 1).then(|| span(bytes[3].wrapping_mul(7))),
        tarpit: span(bytes[1]),
    }
}

/// What is so in one direction, as the sockets would have it.
#[derive(Default)]
struct Truth {
    bytes: u64,
    ended: bool,
    /// The receiver is gone.
    deaf: bool,
    waits: bool,
    finished: bool,
}

/// A connection, and what is really so.
struct Play {
    session: Session,
    timeouts: Timeouts,
    now: i64,
    up: Truth,
    down: Truth,
    /// Targets that are left.
    targets: usize,
    over: bool,
}

impl Play {
    fn new(timeouts: Timeouts, targets: usize) -> Self {
        let (up, down) = Default::default();
        Self { session: Session::new(0), timeouts, now: 0, up, down, targets, over: false }
    }

    fn truth(&mut self, direction: Direction) -> &mut Truth {
        match direction {
            Up => &mut self.up,
            Down => &mut self.down,
        }
    }

    /// What the thread would tell, if it can happen where the connection stands.
    fn step(&mut self, what: u8) {
        let direction = if what & 1 == 0 { Up } else { Down };
        match (self.session.phase(), what >> 1 & 15) {
            (_, 0) => self.on(Event::Time),
            (_, 1) if what >> 5 == 7 => self.on(Event::Close(cause::KILLED)),
            (Phase::Header, 2..=5) => self.on(Event::Begin { looks: what & 1 == 1 }),
            (Phase::Header, 6) => self.on(Event::Refused(refusal(what >> 5), "denied")),
            (Phase::Header | Phase::Looking, 7..=10) if !self.up.ended => self.read(Up, what >> 5),
            (Phase::Header | Phase::Looking, 11) if !self.up.ended => self.end(Up),
            (Phase::Held, 11) => self.on(Event::Ended(Up)),
            (Phase::Connecting, 2..=5) => self.answer(),
            (Phase::Connecting, 6..=8) => self.on(Event::Failed(cause::CONNECT_REFUSED)),
            (Phase::Relaying, 2..=6) => self.read(direction, what >> 5),
            (Phase::Relaying, 7) => self.end(direction),
            (Phase::Relaying, 8) if self.truth(direction).waits => self.on(Event::Moved(direction)),
            (Phase::Relaying, 9..=10) => self.drain(direction),
            (Phase::Relaying, 11) if self.truth(direction).waits => self.deafen(direction),
            (Phase::Relaying, 12) => self.break_off(direction),
            (Phase::Header | Phase::Looking | Phase::Connecting | Phase::Held, 12) => {
                self.on(Event::Broken(Up));
            }
            _ => {}
        }
    }

    fn read(&mut self, direction: Direction, size: u8) {
        let early = self.session.phase() != Phase::Relaying;
        let truth = self.truth(direction);
        if truth.ended || truth.waits && !early {
            return;
        }
        truth.bytes += u64::from(size) + 1;
        // First bytes wait for the backend; later ones where the receiver does not take them at once.
        truth.waits = early || size & 1 == 1 && !truth.deaf;
        let waits = truth.waits && !early;
        self.on(Event::Read(direction, usize::from(size) + 1));
        if waits && self.session.phase() == Phase::Relaying {
            self.on(Event::Waiting(direction));
        }
    }

    fn end(&mut self, direction: Direction) {
        let truth = self.truth(direction);
        if !truth.ended && (!truth.waits || self.session.phase() != Phase::Relaying) {
            self.truth(direction).ended = true;
            self.on(Event::Ended(direction));
        }
    }

    fn answer(&mut self) {
        if self.up.waits {
            self.on(Event::Waiting(Up));
        }
        self.on(Event::Connected);
    }

    fn drain(&mut self, direction: Direction) {
        if std::mem::take(&mut self.truth(direction).waits) {
            self.on(Event::Drained(direction));
        }
    }

    fn deafen(&mut self, direction: Direction) {
        let truth = self.truth(direction);
        (truth.waits, truth.deaf) = (false, true);
        self.on(Event::Deaf(direction));
    }

    fn break_off(&mut self, direction: Direction) {
        if self.truth(direction).ended {
            return;
        }
        self.truth(direction).ended = true;
        let back = self.truth(direction.reverse());
        (back.deaf, back.waits, back.ended) = (true, false, true);
        self.on(Event::Broken(direction));
    }

    /// Tells the session, does what it says, and looks whether that was right.
    fn on(&mut self, event: Event) {
        let mut next = self.session.on(event, self.now, &self.timeouts);
        loop {
            assert!(!self.over || next == Command::Nothing, "{next:?} after the end");
            next = match next {
                Command::Nothing => break,
                Command::Judge { over } => {
                    assert!(matches!(self.session.phase(), Phase::Header | Phase::Looking));
                    let enough = over || self.up.bytes > 100;
                    if !enough {
                        break;
                    }
                    self.session.on(Event::Taken, self.now, &self.timeouts)
                }
                Command::Connect => {
                    assert_eq!(self.session.phase(), Phase::Connecting);
                    let left = self.targets > 0;
                    self.targets = self.targets.saturating_sub(1);
                    if left {
                        break;
                    }
                    self.session.on(Event::NoTarget, self.now, &self.timeouts)
                }
                Command::Finish(direction) => {
                    self.finish(direction);
                    break;
                }
                Command::Drip => {
                    assert_eq!(self.session.phase(), Phase::Held);
                    break;
                }
                Command::Close(why) | Command::Reset(why) => {
                    self.ends(why, matches!(next, Command::Reset(_)));
                    break;
                }
            };
        }
        assert_eq!(self.over, self.session.phase() == Phase::Over);
        assert_eq!(self.session.deadline(&self.timeouts).is_none(), self.over);
        assert_eq!((self.session.up.bytes, self.session.down.bytes), (self.up.bytes, self.down.bytes));
    }

    fn finish(&mut self, direction: Direction) {
        assert_eq!(self.session.phase(), Phase::Relaying);
        let truth = self.truth(direction);
        assert!(truth.ended && !truth.waits, "finished before everything was passed on");
        assert!(!truth.finished, "finished twice");
        truth.finished = true;
    }

    /// Nobody who still listens loses what was said before the end; only time and people may cut it.
    fn ends(&mut self, why: &str, reset: bool) {
        self.over = true;
        let waits = self.up.waits && !self.up.deaf || self.down.waits && !self.down.deaf;
        match why {
            cause::FIN => assert!(self.up.ended && self.down.ended && !waits && !reset),
            cause::CLIENT_RESET | cause::BACKEND_RESET if reset => assert!(!waits),
            _ => {}
        }
    }

    /// Nothing happens any more but time: it comes to its end, and never looks at the clock in vain.
    fn wait_for_the_end(&mut self) {
        for _ in 0..PATIENCE {
            let Some(at) = self.session.deadline(&self.timeouts) else {
                return;
            };
            self.now = self.now.max(at);
            let before = self.session.phase();
            self.on(Event::Time);
            let moved = self.session.phase() != before;
            let later = self.session.deadline(&self.timeouts).is_none_or(|next| next > self.now);
            assert!(moved || later, "a deadline that passes and stays");
        }
        panic!("it never ends");
    }
}

fn refusal(number: u8) -> Refusal {
    Refusal::ALL[usize::from(number) % Refusal::ALL.len()]
}

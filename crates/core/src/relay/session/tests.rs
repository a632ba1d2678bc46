//! Courses of connections, played without sockets.

use super::{Command, DRIP, Event, LINGER, Phase, Session, cause};
use crate::flow::Direction::{Down, Up};
use crate::packet::Nanos;
use crate::relay::plan::{Refusal, Timeouts};

const SECOND: Nanos = 1_000_000_000;

/// A connection and its clock.
struct Play {
    session: Session,
    now: Nanos,
    timeouts: Timeouts,
}

impl Play {
    fn new() -> Self {
        Self { session: Session::new(0), now: 0, timeouts: Timeouts::default() }
    }

    /// One whose backend has answered.
    fn relaying() -> Self {
        let mut play = Self::new();
        assert_eq!(play.on(Event::Begin { looks: false }), Command::Judge { over: true });
        assert_eq!(play.on(Event::Taken), Command::Connect);
        assert_eq!(play.on(Event::Connected), Command::Nothing);
        play
    }

    fn looking() -> Self {
        let mut play = Self::new();
        assert_eq!(play.on(Event::Begin { looks: true }), Command::Judge { over: false });
        play
    }

    fn on(&mut self, event: Event) -> Command {
        self.session.on(event, self.now, &self.timeouts)
    }

    fn wait(&mut self, seconds: f64) -> Command {
        self.now += (seconds * 1e9) as Nanos;
        self.on(Event::Time)
    }

    /// Lets time pass until something is due; what, and after how many seconds.
    fn wait_on(&mut self) -> (f64, Command) {
        let from = self.now;
        self.now = self.session.deadline(&self.timeouts).unwrap();
        ((self.now - from) as f64 / 1e9, self.on(Event::Time))
    }
}

#[test]
fn each_half_closes_on_its_own() {
    for (first, second) in [(Up, Down), (Down, Up)] {
        let mut play = Play::relaying();
        play.on(Event::Read(first, 10));
        assert_eq!(play.on(Event::Ended(first)), Command::Finish(first));
        assert_eq!(play.on(Event::Read(second, 10)), Command::Nothing);
        assert_eq!(play.on(Event::Ended(second)), Command::Close(cause::FIN));
        assert_eq!(play.session.phase(), Phase::Over);
    }
}

#[test]
fn the_end_waits_for_what_is_in_front_of_it() {
    let mut play = Play::relaying();
    play.on(Event::Read(Down, 1000));
    play.on(Event::Waiting(Down));
    assert_eq!(play.on(Event::Ended(Down)), Command::Nothing);
    assert_eq!(play.on(Event::Moved(Down)), Command::Nothing);
    assert_eq!(play.on(Event::Drained(Down)), Command::Finish(Down));
    assert_eq!(play.on(Event::Ended(Up)), Command::Close(cause::FIN));
}

#[test]
fn a_silent_client_goes_to_the_default() {
    let mut play = Play::looking();
    assert_eq!(play.wait(2.9), Command::Nothing);
    assert_eq!(play.wait(0.1), Command::Judge { over: true });
    assert_eq!(play.on(Event::Taken), Command::Connect);
}

#[test]
fn a_request_in_pieces_is_judged_piece_by_piece() {
    let mut play = Play::looking();
    play.now = 2 * SECOND;
    assert_eq!(play.on(Event::Read(Up, 2)), Command::Judge { over: false });
    // From the first byte on there is time to finish the request.
    assert_eq!(play.wait(4.9), Command::Nothing);
    assert_eq!(play.on(Event::Read(Up, 3)), Command::Judge { over: false });
    assert_eq!(play.wait(0.1), Command::Judge { over: true });
}

#[test]
fn a_client_that_is_done_is_judged_by_what_it_said() {
    let mut play = Play::looking();
    play.on(Event::Read(Up, 5));
    assert_eq!(play.on(Event::Ended(Up)), Command::Judge { over: true });
    play.on(Event::Taken);
    play.on(Event::Waiting(Up));
    assert_eq!(play.on(Event::Connected), Command::Nothing);
    assert_eq!(play.on(Event::Drained(Up)), Command::Finish(Up));
    assert_eq!(play.on(Event::Ended(Down)), Command::Close(cause::FIN));
}

#[test]
fn a_server_may_speak_first_and_alone() {
    let mut play = Play::relaying();
    assert_eq!(play.on(Event::Read(Down, 20)), Command::Nothing);
    // No timeout of the beginning counts any more.
    assert_eq!(play.wait(3000.0), Command::Nothing);
    assert_eq!(play.wait(600.0), Command::Close(cause::IDLE));
}

#[test]
fn the_next_target_is_called_when_one_fails() {
    let mut play = Play::new();
    play.on(Event::Begin { looks: false });
    play.on(Event::Taken);
    assert_eq!(play.on(Event::Failed(cause::CONNECT_REFUSED)), Command::Connect);
    assert_eq!(play.wait_on(), (10.0, Command::Connect));
    assert_eq!(play.wait(9.0), Command::Nothing);
    assert_eq!(play.on(Event::Connected), Command::Nothing);
    assert_eq!(play.session.phase(), Phase::Relaying);
}

#[test]
fn when_no_target_is_left_the_last_fault_counts() {
    let mut play = Play::new();
    play.on(Event::Begin { looks: false });
    play.on(Event::Taken);
    play.on(Event::Failed(cause::CONNECT_REFUSED));
    play.wait_on();
    assert_eq!(play.on(Event::NoTarget), Command::Close(cause::CONNECT_TIMEOUT));

    let mut play = Play::new();
    play.on(Event::Begin { looks: false });
    play.on(Event::Taken);
    assert_eq!(play.on(Event::NoTarget), Command::Close(cause::NO_BACKEND));
}

#[test]
fn each_timeout_has_its_cause() {
    let mut idle = Play::relaying();
    idle.now = SECOND;
    idle.on(Event::Read(Up, 1));
    assert_eq!(idle.wait_on(), (3600.0, Command::Close(cause::IDLE)));

    let mut half = Play::relaying();
    half.on(Event::Ended(Up));
    half.now = 200 * SECOND;
    half.on(Event::Read(Down, 1));
    assert_eq!(half.wait_on(), (300.0, Command::Close(cause::HALF_CLOSED)));

    let mut stall = Play::relaying();
    stall.on(Event::Waiting(Down));
    stall.now = 50 * SECOND;
    stall.on(Event::Moved(Down));
    stall.now = 80 * SECOND;
    // What the other direction does is no excuse.
    stall.on(Event::Read(Up, 1));
    assert_eq!(stall.wait_on(), (30.0, Command::Close(cause::WRITE_STALL)));

    let mut life = Play::relaying();
    life.timeouts.lifetime = Some(7 * SECOND);
    life.now = 6 * SECOND;
    life.on(Event::Read(Up, 1));
    assert_eq!(life.wait_on(), (1.0, Command::Close(cause::LIFETIME)));

    let mut never = Play::relaying();
    never.timeouts.idle = None;
    assert_eq!(never.session.deadline(&never.timeouts), None);
}

#[test]
fn a_header_that_does_not_come_ends_it() {
    let mut play = Play::new();
    assert_eq!(play.wait_on(), (5.0, Command::Close(cause::PROXY_HEADER)));
    let mut play = Play::new();
    play.on(Event::Read(Up, 3));
    assert_eq!(play.on(Event::Ended(Up)), Command::Close(cause::PROXY_HEADER));
}

#[test]
fn whoever_breaks_off_breaks_both() {
    for (direction, cause) in [(Up, cause::CLIENT_RESET), (Down, cause::BACKEND_RESET)] {
        let mut play = Play::relaying();
        assert_eq!(play.on(Event::Broken(direction)), Command::Reset(cause));
    }
    let mut early = Play::looking();
    assert_eq!(early.on(Event::Broken(Up)), Command::Close(cause::CLIENT_RESET));
}

#[test]
fn what_was_said_before_a_break_is_passed_on() {
    let mut play = Play::relaying();
    play.on(Event::Read(Down, 1400));
    play.on(Event::Waiting(Down));
    assert_eq!(play.on(Event::Broken(Down)), Command::Nothing);
    assert_eq!(play.on(Event::Drained(Down)), Command::Reset(cause::BACKEND_RESET));
}

#[test]
fn an_answer_given_too_early_is_not_destroyed() {
    let mut play = Play::relaying();
    play.on(Event::Read(Up, 1000));
    play.on(Event::Waiting(Up));
    // The backend takes no more, but has answered.
    assert_eq!(play.on(Event::Deaf(Up)), Command::Nothing);
    assert_eq!(play.on(Event::Read(Down, 100)), Command::Nothing);
    assert_eq!(play.on(Event::Ended(Down)), Command::Finish(Down));
    // The client, which goes on talking, is listened to for a while.
    play.now = 2 * SECOND;
    assert_eq!(play.on(Event::Read(Up, 1000)), Command::Nothing);
    let rest = (LINGER - 2 * SECOND) as f64 / 1e9;
    assert_eq!(play.wait_on(), (rest, Command::Close(cause::BACKEND_RESET)));
}

#[test]
fn a_client_that_left_does_not_keep_its_request_from_the_backend() {
    let mut play = Play::relaying();
    play.on(Event::Read(Up, 1000));
    play.on(Event::Waiting(Up));
    assert_eq!(play.on(Event::Deaf(Down)), Command::Nothing);
    assert_eq!(play.on(Event::Ended(Up)), Command::Nothing);
    assert_eq!(play.on(Event::Drained(Up)), Command::Close(cause::CLIENT_RESET));
}

#[test]
fn who_is_refused_is_closed_reset_or_held() {
    let refuse = |refusal| {
        let mut play = Play::looking();
        let command = play.on(Event::Refused(refusal, "denied"));
        (play, command)
    };
    assert_eq!(refuse(Refusal::Close).1, Command::Close("denied"));
    assert_eq!(refuse(Refusal::Wait).1, Command::Close("denied"));
    assert_eq!(refuse(Refusal::Reset).1, Command::Reset("denied"));

    let (mut silent, command) = refuse(Refusal::Silent);
    assert_eq!(command, Command::Nothing);
    assert_eq!(silent.wait_on(), (30.0, Command::Close("denied")));

    let (mut tarpit, _) = refuse(Refusal::Tarpit);
    let drip = DRIP as f64 / 1e9;
    for _ in 0..5 {
        assert_eq!(tarpit.wait_on(), (drip, Command::Drip));
    }
    assert_eq!(tarpit.wait_on(), (drip, Command::Close("denied")));

    let (mut gone, _) = refuse(Refusal::Tarpit);
    assert_eq!(gone.on(Event::Ended(Up)), Command::Close("denied"));
}

#[test]
fn whoever_is_told_to_end_ends_and_hears_no_more() {
    let mut play = Play::relaying();
    play.on(Event::Waiting(Up));
    assert_eq!(play.on(Event::Close(cause::DRAIN)), Command::Close(cause::DRAIN));
    for event in [Event::Time, Event::Read(Up, 1), Event::Broken(Down), Event::Close(cause::STOP)] {
        assert_eq!(play.on(event), Command::Nothing);
    }
    assert_eq!(play.session.deadline(&play.timeouts), None);
}

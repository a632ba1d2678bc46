//! Bytes from one end to the other: read at once and written at once; what the receiver does not take waits.

use rustix::io::Errno;

use super::super::moment::Moment;
use super::super::net::pipe::Pipe;
use super::super::net::socket;
use super::super::session::{Event, Phase};
use super::line::Line;
use super::{Conn, PIPES, Worker};
use crate::flow::Direction;
use crate::packet::Nanos;

/// Bytes that one direction may pass before others have their turn.
const TURN: usize = 2 << 20;

/// How long a connection that found no memory reads nothing, where its receiver takes nothing either.
pub(super) const MEMORY_PAUSE: Nanos = 50_000_000;

/// The least memory that is worth a read.
const LEAST: usize = 1024;

/// What is passed on at once where there is no memory for what might have to wait.
const PASSED: usize = 16 << 10;

/// Bytes of a direction that pass before the kernel moves them without us: short ones do not pay for a pipe.
const SPLICED_AFTER: u64 = 256 << 10;

impl Worker {
    /// Passes on what one direction has, as far as the receiver takes it.
    pub(super) fn pump(&mut self, conn: &mut Conn, direction: Direction) {
        let mut left = TURN;
        while conn.session.phase() == Phase::Relaying {
            let way = conn.session.way(direction);
            if way.waiting {
                if !self.flush(conn, direction) {
                    return;
                }
                continue;
            }
            let idle = way.ended || conn.rests();
            if idle || !conn.sender(direction).is_some_and(|sender| sender.readable) {
                return;
            }
            if left == 0 {
                return self.queue(conn);
            }
            let size = conn.service.read_size();
            let granted = self.shared.memory.reserve_for_waiting(size);
            if granted < LEAST.min(size) {
                self.shared.memory.give_back(granted);
                left = left.saturating_sub(self.pass(conn, direction));
                continue;
            }
            let moved = if self.may_splice(conn, direction) {
                self.splice(conn, direction, granted)
            } else {
                self.copy(conn, direction, granted)
            };
            let line = conn.line(direction);
            // Nothing waited before, so that all that waits now is of this read.
            let held = line.held();
            line.reserve(held);
            self.shared.memory.give_back(granted.saturating_sub(held));
            left = left.saturating_sub(moved);
        }
    }

    /// Reads nothing of a connection for so long.
    pub(super) fn pause(&mut self, conn: &mut Conn, span: Nanos) {
        conn.paused = Moment::at(self.now.mono.saturating_add(span));
    }

    /// Passes on what waits; whether nothing waits any more.
    fn flush(&mut self, conn: &mut Conn, direction: Direction) -> bool {
        let Some((end, line)) = conn.receiver(direction) else {
            return false;
        };
        let mut moved = 0;
        let mut deaf = false;
        while end.writable && line.held() > 0 {
            match line.write(&end.socket) {
                Ok((written, more)) => {
                    end.writable = more;
                    moved += written;
                }
                Err(Errno::AGAIN) => end.writable = false,
                Err(Errno::INTR) => {}
                Err(_) => {
                    deaf = true;
                    break;
                }
            }
        }
        let drained = line.held() == 0;
        let freed = line.free(moved);
        self.shared.memory.give_back(freed);
        if deaf {
            self.deaf(conn, direction);
            return true;
        }
        if drained {
            self.release_line(conn, direction);
            self.tell(conn, Event::Drained(direction));
        } else if moved > 0 {
            self.tell(conn, Event::Moved(direction));
        }
        drained
    }

    /// The receiver takes nothing more: what waits is thrown away, and what it may have said is read.
    fn deaf(&mut self, conn: &mut Conn, direction: Direction) {
        self.release_line(conn, direction);
        if let Some(end) = conn.sender(direction.reverse()) {
            end.readable = true;
            end.hung_up = true;
        }
        self.queue(conn);
        self.tell(conn, Event::Deaf(direction));
    }

    /// Forgets what waits in a direction, and gives back what it took up.
    pub(super) fn release_line(&mut self, conn: &mut Conn, direction: Direction) {
        let (reserved, pipe) = conn.line(direction).release();
        self.shared.memory.give_back(reserved);
        // One with bytes in it is no use to others.
        if let Some(pipe) = pipe {
            self.keep_pipe(pipe);
        }
    }

    /// Keeps an empty pipe for the next who needs one.
    fn keep_pipe(&mut self, pipe: Pipe) {
        if pipe.held() == 0 && self.pipes.len() < PIPES {
            self.pipes.push(pipe);
        }
    }

    /// Reads once, writes what was read, keeps what the receiver does not take; how many bytes came.
    fn copy(&mut self, conn: &mut Conn, direction: Direction, most: usize) -> usize {
        let mut buffer = std::mem::take(&mut self.buffer);
        let room = buffer.get_mut(..most).unwrap_or_default();
        let Some(sender) = conn.sender(direction) else {
            self.buffer = buffer;
            return 0;
        };
        let result = socket::read(&sender.socket, room);
        if let Ok(read @ 1..) = result {
            // A short read has emptied the socket, unless its end is behind.
            sender.readable = read == most || sender.hung_up;
            let came = room.get(..read).unwrap_or_default();
            self.came(conn, direction, came);
        }
        self.buffer = buffer;
        self.judge_read(conn, direction, result)
    }

    /// Passes on what the receiver takes at once and leaves the rest to the kernel, so that those who never read and
    /// have taken up all memory delay nobody else; how many bytes came.
    fn pass(&mut self, conn: &mut Conn, direction: Direction) -> usize {
        let mut buffer = std::mem::take(&mut self.buffer);
        let most = buffer.len().min(PASSED).min(conn.service.read_size());
        let passed = buffer.get_mut(..most).map_or(0, |room| self.pass_some(conn, direction, room));
        self.buffer = buffer;
        passed
    }

    fn pass_some(&mut self, conn: &mut Conn, direction: Direction, room: &mut [u8]) -> usize {
        let seen =
            conn.sender(direction).map_or(Ok(0), |sender| socket::peek(&sender.socket, room));
        let Ok(seen @ 1..) = seen else {
            return self.judge_read(conn, direction, seen);
        };
        let offered = room.get(..seen).unwrap_or_default();
        let dead = conn.session.way(direction).dead;
        let taken = match conn.receiver(direction) {
            Some((end, _)) if !dead => write_at_once(end, offered),
            _ => Ok(seen),
        };
        let taking = taken.unwrap_or(seen);
        let all = taking == seen && seen < room.len();
        let came = room.get_mut(..taking).unwrap_or_default();
        let read = match conn.sender(direction) {
            Some(sender) if taking > 0 => socket::read(&sender.socket, came),
            _ => {
                self.pause(conn, MEMORY_PAUSE);
                return 0;
            }
        };
        let Ok(read @ 1..) = read else {
            return self.judge_read(conn, direction, read);
        };
        if let Some(sender) = conn.sender(direction) {
            sender.readable = !all || sender.hung_up;
        }
        self.tell(conn, Event::Read(direction, read));
        self.observe(conn, direction, came.get(..read).unwrap_or_default());
        self.spend(conn, read);
        if taken.is_err() {
            self.deaf(conn, direction);
        }
        read
    }

    /// What reading nothing means; how many bytes came.
    fn judge_read(
        &mut self,
        conn: &mut Conn,
        direction: Direction,
        result: Result<usize, Errno>,
    ) -> usize {
        let event = match result {
            Ok(0) => {
                conn.flow.done(direction, self.now.wall);
                Event::Ended(direction)
            }
            Ok(read) => return read,
            Err(Errno::INTR) => return 0,
            Err(Errno::AGAIN) => {
                if let Some(sender) = conn.sender(direction) {
                    sender.readable = false;
                }
                return 0;
            }
            Err(_) => Event::Broken(direction),
        };
        if let Some(sender) = conn.sender(direction) {
            sender.readable = false;
        }
        self.tell(conn, event);
        0
    }

    fn came(&mut self, conn: &mut Conn, direction: Direction, data: &[u8]) {
        self.tell(conn, Event::Read(direction, data.len()));
        let mut deaf = false;
        if !conn.session.way(direction).dead
            && let Some((end, line)) = conn.receiver(direction)
        {
            let rest;
            (rest, deaf) = write_some(end, line, data);
            if rest > 0 {
                self.tell(conn, Event::Waiting(direction));
            }
        }
        self.observe(conn, direction, data);
        self.spend(conn, data.len());
        if deaf {
            self.deaf(conn, direction);
        }
    }

    /// Slows a connection down where bytes are limited.
    fn spend(&mut self, conn: &mut Conn, bytes: usize) {
        if conn.service.limits_bytes()
            && let Some(pass) = &conn.pass
            && let Some(span) = self.shared.gate.spend(pass, bytes as u64, self.now.wall)
        {
            self.pause(conn, span);
        }
    }

    /// What bytes that passed are to tables and events.
    pub(super) fn observe(&mut self, conn: &mut Conn, direction: Direction, data: &[u8]) {
        let wall = self.now.wall;
        self.count(conn, direction, data.len());
        if !conn.flow.is_ignored() {
            self.rows.hear(conn, direction, data, wall);
        }
        let line = conn.line(direction);
        let before = line.kept;
        if let Some(kept) = conn.service.plan.excerpts.of_read(data.len(), before) {
            conn.line(direction).kept = before.saturating_add(kept);
            self.rows.payload(conn, direction, data, kept, wall);
        }
    }

    fn count(&mut self, conn: &mut Conn, direction: Direction, bytes: usize) {
        use std::sync::atomic::Ordering::Relaxed;
        conn.flow.said(direction, bytes as u64, self.now.wall);
        let counters = &conn.service.counters;
        let counter = match direction {
            Direction::Up => &counters.up,
            Direction::Down => &counters.down,
        };
        counter.fetch_add(bytes as u64, Relaxed);
    }

    /// Whether nobody wants a direction's bytes but its receiver.
    fn may_splice(&self, conn: &mut Conn, direction: Direction) -> bool {
        let kept = conn.line(direction).kept;
        let way = conn.session.way(direction);
        self.splices
            && way.bytes >= SPLICED_AFTER
            && !way.dead
            && conn.flow.is_ignored()
            && !conn.service.limits_bytes()
            && !conn.service.plan.excerpts.want(kept)
    }

    /// Lets the kernel move bytes; how many came.
    fn splice(&mut self, conn: &mut Conn, direction: Direction, most: usize) -> usize {
        let Some(mut pipe) = self.pipes.pop().or_else(|| Pipe::open().ok()) else {
            return self.copy(conn, direction, most);
        };
        let Some(sender) = conn.sender(direction) else {
            return 0;
        };
        let result = pipe.fill(&sender.socket, most);
        if let Err(Errno::INVAL | Errno::NOSYS) = result {
            self.splices = false;
            return self.copy(conn, direction, most);
        }
        let Ok(read @ 1..) = result else {
            self.keep_pipe(pipe);
            return self.judge_read(conn, direction, result);
        };
        self.tell(conn, Event::Read(direction, read));
        self.count(conn, direction, read);
        let Some((end, line)) = conn.receiver(direction) else {
            return read;
        };
        let drained = if end.writable { pipe.drain(&end.socket) } else { Err(Errno::AGAIN) };
        end.writable = matches!(drained, Ok(given) if given == read);
        if pipe.held() > 0 {
            line.set_pipe(pipe);
        } else {
            self.keep_pipe(pipe);
        }
        match drained {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {
                if conn.line(direction).held() > 0 {
                    self.tell(conn, Event::Waiting(direction));
                }
            }
            Err(_) => self.deaf(conn, direction),
        }
        read
    }
}

/// Writes what the receiver takes; how much, or an error where it takes nothing more.
fn write_at_once(end: &mut super::conn::End, data: &[u8]) -> Result<usize, Errno> {
    if !end.writable {
        return Ok(0);
    }
    let written = match socket::write(&end.socket, data) {
        Err(Errno::AGAIN | Errno::INTR) => 0,
        other => other?,
    };
    end.writable = written == data.len();
    Ok(written)
}

/// Writes what the receiver takes, keeps the rest; how much that is, and whether the receiver takes nothing more.
fn write_some(end: &mut super::conn::End, line: &mut Line, data: &[u8]) -> (usize, bool) {
    let Ok(written) = write_at_once(end, data) else {
        return (0, true);
    };
    let rest = data.get(written..).unwrap_or_default();
    line.push(rest);
    (rest.len(), false)
}

//! What a thread is told by others, and what it answers.

use std::sync::atomic::Ordering;

use super::super::handle::Live;
use super::super::plan::Address;
use super::super::session::{Event, Phase, cause};
use super::super::shared::Letter;
use super::{Conn, Worker};
use crate::packet::Nanos;

impl Worker {
    /// Reads all letters there are.
    pub(super) fn letters(&mut self) {
        for letter in self.shared.letters(self.number) {
            self.letter(letter);
        }
    }

    fn letter(&mut self, letter: Letter) {
        match letter {
            Letter::Running(running, sockets, answer) => {
                self.rows.sensor.clone_from(&running.sensor);
                self.running = running;
                if self.number == 0 && self.ends_at.is_none() {
                    self.open_doors(sockets);
                }
                // Who asked may have gone.
                let _ = answer.send(());
            }
            Letter::Arrival(arrival) => self.settle_in(*arrival),
            Letter::Room => self.unblock(),
            Letter::Reject(ip) => {
                let ip = ip.to_canonical();
                self.end_where(cause::REJECTED, |conn| conn.client().ip() == ip);
            }
            Letter::Kill(id) => self.end_where(cause::KILLED, |conn| conn.id == id),
            Letter::Drain(span) => self.drain(span),
            Letter::Stop => {
                self.drain(0);
                self.end_where(cause::STOP, |_| true);
            }
            Letter::List(limit, answer) => {
                let lives = self.conns.iter().take(limit).map(|conn| self.live(conn));
                // Who asked may have gone.
                let _ = answer.send(lives.collect());
            }
        }
    }

    pub(super) fn end_where(&mut self, cause: &'static str, which: impl Fn(&Conn) -> bool) {
        for key in self.conns.keys() {
            if self.conns.get(key).is_some_and(|conn| which(conn)) {
                self.with(key, |worker, conn| worker.tell(conn, Event::Close(cause)));
            }
        }
    }

    /// Accepts nothing more; connections have so long to end.
    fn drain(&mut self, span: Nanos) {
        self.listeners.clear();
        self.ready.clear();
        self.retries_at = None;
        if self.number == 0 && self.shared.accepting.swap(false, Ordering::SeqCst) {
            // The others may go now.
            self.shared.write_all(|| Letter::Room);
        }
        let at = self.now.mono.saturating_add(span);
        self.ends_at = Some(self.ends_at.map_or(at, |known| known.min(at)));
        // Who is held was never let in.
        let held = |conn: &Conn| conn.session.phase() == Phase::Held;
        self.end_where(cause::DRAIN, held);
    }

    fn live(&self, conn: &Conn) -> Live {
        Live {
            id: conn.id,
            uid: conn.flow.uid().to_string(),
            client: conn.client(),
            server: conn.server(),
            service: conn.service.plan.name.clone(),
            backend: conn.backend.as_ref().map(|backend| backend.backend.name.clone()),
            remote: conn.remote().map(|remote| match remote {
                Address::Ip(at) => at.to_string(),
                Address::Unix(path) => path.to_string_lossy().into_owned(),
            }),
            rule: conn.rule.clone(),
            protocol: conn.protocol(),
            phase: match conn.session.phase() {
                Phase::Header => "header",
                Phase::Looking => "looking",
                Phase::Connecting => "connecting",
                Phase::Relaying => "relaying",
                Phase::Held => "held",
                Phase::Over => "over",
            },
            up: conn.session.up.bytes,
            down: conn.session.down.bytes,
            since: conn.flow.first,
            idle: self.now.mono.saturating_sub(conn.session.heard()).max(0),
        }
    }
}

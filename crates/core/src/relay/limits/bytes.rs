//! Shares of bytes: so many a second, which slow connections down, and so many a day.

use super::clock::Clock;
use crate::packet::Nanos;
use crate::relay::plan::Limits;

const SECOND: Nanos = 1_000_000_000;
const DAY: Nanos = 86_400 * SECOND;

/// What may pass ahead of time.
const CREDIT: Nanos = SECOND / 10;

/// Bytes at a rate: when all that passed is paid for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    clock: Clock,
    paid: Nanos,
}

impl Bucket {
    /// Notes bytes at a rate per second; `Some` is the rest that is due.
    pub(super) fn spend(&mut self, rate: u64, bytes: u64, now: Nanos) -> Option<Nanos> {
        let now = self.clock.at(now);
        let span = u128::from(bytes) * SECOND as u128 / u128::from(rate.max(1));
        let span = Nanos::try_from(span).unwrap_or(Nanos::MAX);
        self.paid = self.paid.max(now).saturating_add(span);
        let rest = self.paid.saturating_sub(now).saturating_sub(CREDIT);
        (rest > 0).then_some(rest)
    }
}

/// Bytes of a service.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    rate: Option<u64>,
    rate_connection: Option<u64>,
    bucket: Bucket,
    day: i64,
    today: u64,
}

impl Bytes {
    pub(super) fn set(&mut self, limits: &Limits) {
        self.rate = limits.bytes_per_second;
        self.rate_connection = limits.bytes_per_second_connection;
    }

    /// Notes bytes; the rest that the service's rate makes due, and the rate of each connection.
    pub(super) fn spend(&mut self, bytes: u64, now: Nanos) -> (Option<Nanos>, Option<u64>) {
        self.turn(now);
        self.today = self.today.saturating_add(bytes);
        (self.rate.and_then(|rate| self.bucket.spend(rate, bytes, now)), self.rate_connection)
    }

    /// Bytes of the day so far.
    pub(super) fn today(&mut self, now: Nanos) -> u64 {
        self.turn(now);
        self.today
    }

    pub(super) fn set_today(&mut self, bytes: u64, now: Nanos) {
        self.turn(now);
        self.today = bytes;
    }

    /// A tenth of a second's share, of whoever has the least.
    pub(super) fn at_once(&self) -> usize {
        let rate = self.rate.into_iter().chain(self.rate_connection).min();
        rate.map_or(usize::MAX, |rate| usize::try_from(rate / 10).unwrap_or(usize::MAX).max(1))
    }

    /// Begins a new day where one has begun. A clock that is put back a little over midnight begins none.
    fn turn(&mut self, now: Nanos) {
        let day = now.div_euclid(DAY);
        if day != self.day && day != self.day - 1 {
            self.day = day;
            self.today = 0;
        }
    }
}

//! An interface's clock in a pcapng file: its units and its origin, made nanoseconds.

use crate::packet::Nanos;

/// How to turn an interface's time stamps into nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    scale: Scale,
    offset: Nanos,
}

#[derive(Clone, Copy, Debug)]
enum Scale {
    /// Units of at least a nanosecond.
    Times(u64),
    /// Decimal fractions of a nanosecond.
    By(u64),
    /// Units of 2^-n seconds.
    Shift(u32),
}

impl Clock {
    /// `resolution` as `if_tsresol` has it (a negative power of 10, or of 2 with the top
    /// bit set), `offset` in seconds as `if_tsoffset`.
    pub(super) fn new(resolution: u8, offset: i64) -> Self {
        let power = u32::from(resolution & 0x7f);
        let scale = if resolution & 0x80 != 0 {
            Scale::Shift(power)
        } else if power <= 9 {
            Scale::Times(10_u64.pow(9 - power))
        } else {
            // So fine a unit that 64 bits of it are less than a nanosecond.
            10_u64.checked_pow(power - 9).map_or(Scale::Times(0), Scale::By)
        };
        Self { scale, offset: offset.saturating_mul(1_000_000_000) }
    }

    /// Nanoseconds since 1970, as near as 64 bits come.
    #[inline]
    pub(super) fn nanos(self, time: u64) -> Nanos {
        let nanos = match self.scale {
            Scale::Times(factor) => time.saturating_mul(factor),
            Scale::By(divisor) => time / divisor,
            Scale::Shift(bits) => {
                u64::try_from((u128::from(time) * 1_000_000_000) >> bits).unwrap_or(u64::MAX)
            }
        };
        Nanos::try_from(nanos).unwrap_or(Nanos::MAX).saturating_add(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_from_seconds_to_less_than_nanoseconds() {
        assert_eq!(Clock::new(0, 0).nanos(3), 3_000_000_000);
        assert_eq!(Clock::new(6, 0).nanos(3), 3_000);
        assert_eq!(Clock::new(9, 0).nanos(3), 3);
        assert_eq!(Clock::new(12, 0).nanos(3_999), 3);
        assert_eq!(Clock::new(127, 0).nanos(u64::MAX), 0);
        assert_eq!(Clock::new(0x8a, 0).nanos(1 << 10), 1_000_000_000);
        assert_eq!(Clock::new(0xff, 0).nanos(u64::MAX), 0);
    }

    #[test]
    fn the_origin_moves_both_ways() {
        assert_eq!(Clock::new(9, 2).nanos(1), 2_000_000_001);
        assert_eq!(Clock::new(9, -2).nanos(1), -1_999_999_999);
    }

    #[test]
    fn what_does_not_fit_stops_at_the_end() {
        assert_eq!(Clock::new(0, 0).nanos(u64::MAX), Nanos::MAX);
        assert_eq!(Clock::new(0x80, 0).nanos(u64::MAX), Nanos::MAX);
        assert_eq!(Clock::new(0, i64::MAX).nanos(u64::MAX), Nanos::MAX);
        assert_eq!(Clock::new(9, i64::MIN).nanos(0), Nanos::MIN);
    }
}

//! Moments, dates and spans as text (ISO 8601), without allocation.

use arrow_schema::TimeUnit;

const DAY: i64 = 86_400;

/// Appends a moment in UTC with nanoseconds, as `2026-11-20T10:00:00.000000000Z`; the ends of
/// the 64-bit range, which `DuckDB` means as infinite, as `infinity` and `-infinity`.
pub(super) fn moment(value: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    if value == i64::MAX {
        return out.extend_from_slice(b"infinity");
    }
    if value <= -i64::MAX {
        return out.extend_from_slice(b"-infinity");
    }
    let (seconds, nanos) = split(value, unit);
    date(seconds.div_euclid(DAY), out);
    out.push(b'T');
    clock(seconds.rem_euclid(DAY), nanos, out);
    out.push(b'Z');
}

/// Appends a moment in UTC with microseconds, as `2026-11-20T10:00:00.000000`, `between` instead of
/// the letter.
pub(super) fn micros(value: i64, unit: TimeUnit, between: u8, out: &mut Vec<u8>) {
    let (seconds, nanos) = split(value, unit);
    date(seconds.div_euclid(DAY), out);
    out.push(between);
    of_second(seconds.rem_euclid(DAY), out);
    digits(nanos / 1_000, 6, out);
}

/// Appends a time of day as `10:00:00.000000000`.
pub(super) fn of_day(value: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let (seconds, nanos) = split(value, unit);
    clock(seconds, nanos, out);
}

/// Appends the date `days` after 1970-01-01 as `2026-11-20` (proleptic Gregorian calendar;
/// years beyond four digits with their sign).
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    if (0..10_000).contains(&year) {
        digits(year.unsigned_abs(), 4, out);
    } else {
        out.push(if year < 0 { b'-' } else { b'+' });
        digits(year.unsigned_abs(), 6, out);
    }
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(day, 2, out);
}

/// Appends a span as an ISO 8601 duration: `P14M3DT4.000000005S`.
pub(super) fn span(months: i64, days: i64, nanos: i64, out: &mut Vec<u8>) {
    out.push(b'P');
    for (value, letter) in [(months, b'M'), (days, b'D')] {
        if value != 0 {
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            out.push(letter);
        }
    }
    if nanos != 0 || (months == 0 && days == 0) {
        out.push(b'T');
        if nanos < 0 {
            out.push(b'-');
        }
        let nanos = nanos.unsigned_abs();
        let seconds = nanos / 1_000_000_000;
        out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
        if !nanos.is_multiple_of(1_000_000_000) {
            out.push(b'.');
            digits(nanos % 1_000_000_000, 9, out);
        }
        out.push(b'S');
    }
}

/// Nanoseconds of a duration in any unit, held at the ends of the range.
pub(super) fn nanos(value: i64, unit: TimeUnit) -> i64 {
    value.saturating_mul(1_000_000_000 / per_second(unit))
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Whole seconds (rounded down) and nanoseconds.
fn split(value: i64, unit: TimeUnit) -> (i64, u64) {
    let per_second = per_second(unit);
    let rest = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    (value.div_euclid(per_second), rest.unsigned_abs())
}

fn clock(seconds: i64, nanos: u64, out: &mut Vec<u8>) {
    of_second(seconds, out);
    digits(nanos, 9, out);
}

/// Appends hours, minutes and seconds, and the point that parts of a second stand behind.
fn of_second(seconds: i64, out: &mut Vec<u8>) {
    let seconds = seconds.unsigned_abs();
    digits(seconds / 3_600, 2, out);
    out.push(b':');
    digits(seconds / 60 % 60, 2, out);
    out.push(b':');
    digits(seconds % 60, 2, out);
    out.push(b'.');
}

/// Appends at least `width` digits, zeros in front.
fn digits(value: u64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    for _ in text.len()..width {
        out.push(b'0');
    }
    out.extend_from_slice(text.as_bytes());
}

/// Year, month and day: counts in 400-year eras that start on 1 March, so that the leap day
/// is the last of its year.
fn civil(days: i64) -> (i64, u64, u64) {
    const ERA: i64 = 146_097;
    let days = days.saturating_add(719_468);
    let in_era = days.rem_euclid(ERA);
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / (ERA - 1)) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + days.div_euclid(ERA) * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

//! Values in the styles that layouts know.

use std::io::Write as _;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::cell::Cell;
use super::super::{escape, time};
use super::{Columns, Value};
use crate::error::Error;

/// How a column's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is: texts and times in quotes, times as `2026-11-20T10:20:54.176026123Z`.
    Plain,
    /// As it is; missing where it is an empty text or 0.
    Known,
    /// A time as `2026-11-20T10:20:54.176026Z`.
    Micros,
    /// A time as `2026-11-20 10:20:54.176026`.
    SpacedMicros,
    /// Text in base 64 as a text of one character (U+0000 to U+00FF) for each byte.
    Characters,
    /// Seconds as whole nanoseconds.
    Nanoseconds,
    /// Text, if it is an IP address.
    Ip,
    /// Of the text of an IP address, `ipv4` or `ipv6`.
    IpVersion,
}

impl FromStr for Style {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "plain" => Self::Plain,
            "known" => Self::Known,
            "micros" => Self::Micros,
            "spaced micros" => Self::SpacedMicros,
            "characters" => Self::Characters,
            "nanoseconds" => Self::Nanoseconds,
            "ip" => Self::Ip,
            "ip version" => Self::IpVersion,
            _ => return Err(Error::Usage(format!("no style \"{name}\" for a key of a layout"))),
        })
    }
}

/// What stands at a key, its columns by their places.
#[derive(Debug)]
pub(super) enum Source {
    Column(usize, Style),
    Either(usize, [String; 2]),
    Joined(Vec<(String, usize, Option<String>)>),
}

impl Source {
    /// A constant is no source: it stands beside its key.
    pub(super) fn new(value: &Value, columns: &mut Columns) -> Self {
        match value {
            Value::Constant(_) => Self::Joined(Vec::new()),
            Value::Column(name, style) => Self::Column(columns.place(name), *style),
            Value::Either(name, texts) => Self::Either(columns.place(name), texts.clone()),
            Value::Joined(pieces) => Self::Joined(
                pieces
                    .iter()
                    .map(|piece| {
                        let place = columns.place(&piece.column);
                        (piece.before.clone(), place, piece.missing.clone())
                    })
                    .collect(),
            ),
        }
    }

    /// Appends the value, if there is one; whether there was. What was begun is the caller's to cut off.
    pub(super) fn write(
        &self,
        cells: &[Cell<'_>],
        row: usize,
        out: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> bool {
        let present = |place: usize| cells.get(place).filter(|cell| !cell.is_null(row));
        match self {
            Self::Column(place, style) => {
                present(*place).is_some_and(|cell| styled(cell, row, *style, out, scratch))
            }
            Self::Either(place, [there, missing]) => {
                let cell = present(*place).filter(|cell| cell.text(row) != Some(""));
                out.extend_from_slice(cell.map_or(missing, |_| there).as_bytes());
                true
            }
            Self::Joined(pieces) => {
                out.push(b'"');
                for (before, place, missing) in pieces {
                    let cell = present(*place).filter(|cell| cell.text(row) != Some(""));
                    match (cell, missing) {
                        (Some(cell), _) => {
                            escape::ascii_within(before, out);
                            within(cell, row, out);
                        }
                        (None, Some(missing)) => {
                            escape::ascii_within(before, out);
                            escape::ascii_within(missing, out);
                        }
                        (None, None) => {}
                    }
                }
                out.push(b'"');
                true
            }
        }
    }
}

/// Appends a value that is not null in its style; false where it has none in that.
fn styled(
    cell: &Cell<'_>,
    row: usize,
    style: Style,
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) -> bool {
    match style {
        Style::Plain => plain(cell, row, out),
        Style::Known => {
            let start = out.len();
            plain(cell, row, out) && !matches!(out.get(start..), Some(b"\"\"" | b"0"))
        }
        Style::Micros => moment(cell, row, b'T', b"Z\"", out),
        Style::SpacedMicros => moment(cell, row, b' ', b"\"", out),
        Style::Characters => {
            scratch.clear();
            let Some(text) = cell.text(row) else { return false };
            let there = STANDARD.decode_vec(text, scratch).is_ok();
            escape::characters(scratch, out);
            there
        }
        Style::Nanoseconds => {
            let Some(seconds) = cell.float(row).filter(|seconds| seconds.is_finite()) else {
                return false;
            };
            // Held at the ends of the range, 292 years from 0.
            let nanos = (seconds * 1e9).round_ties_even() as i64;
            out.extend_from_slice(itoa::Buffer::new().format(nanos).as_bytes());
            true
        }
        Style::Ip => {
            let text = cell.text(row).filter(|text| text.parse::<IpAddr>().is_ok());
            text.is_some_and(|text| quoted(text, out))
        }
        Style::IpVersion => cell
            .text(row)
            .is_some_and(|text| quoted(if text.contains(':') { "ipv6" } else { "ipv4" }, out)),
    }
}

fn quoted(text: &str, out: &mut Vec<u8>) -> bool {
    escape::ascii(text, out);
    true
}

/// Appends the value as JSON. Lists, maps and structs have none here.
fn plain(cell: &Cell<'_>, row: usize, out: &mut Vec<u8>) -> bool {
    if let Some(text) = cell.text(row) {
        return quoted(text, out);
    }
    if let Some(value) = cell.float(row) {
        number(value, out);
    } else if cell.is_nested() {
        return false;
    } else {
        cell.json(row, out);
    }
    true
}

/// Appends the value as a part of a text.
fn within(cell: &Cell<'_>, row: usize, out: &mut Vec<u8>) {
    if let Some(text) = cell.text(row) {
        escape::ascii_within(text, out);
    } else if !cell.is_nested() {
        cell.plain(row, out);
    }
}

fn moment(cell: &Cell<'_>, row: usize, between: u8, end: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((value, unit)) = cell.moment(row) else { return false };
    out.push(b'"');
    time::micros(value, unit, between, out);
    out.extend_from_slice(end);
    true
}

/// Appends a number as Python writes it: `2.5e-05` below 0.0001, `1e+16` from there on; JSON has no
/// word for infinity.
fn number(value: f64, out: &mut Vec<u8>) {
    let size = value.abs();
    if !value.is_finite() {
        out.extend_from_slice(b"null");
    } else if value == 0.0 || (1e-4..1e16).contains(&size) {
        out.extend_from_slice(ryu::Buffer::new().format(value).as_bytes());
    } else {
        let text = format!("{value:e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
        // Writing into memory does not fail.
        let _ = write!(out, "{digits}e{sign}{power:0>2}");
    }
}

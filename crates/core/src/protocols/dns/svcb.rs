//! Data of SVCB and HTTPS records (RFC 9460, section 2).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::name::Reader;
use super::rdata::{base64, push, quote};
use crate::protocols::Violation;

/// IANA, DNS Service Parameter Keys.
const KEYS: &[&str] = &[
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
    "ohttp",
    "tls-supported-groups",
];

/// Appends priority, target and parameters.
pub(super) fn write(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    push(out, reader.u16()?);
    out.push(b' ');
    reader.name(out)?;
    while !reader.is_empty() {
        let (key, length) = (reader.u16()?, reader.u16()?);
        let value = reader.take(usize::from(length))?;
        out.push(b' ');
        parameter(key, value, out)?;
    }
    Ok(())
}

fn parameter(key: u16, value: &[u8], out: &mut Vec<u8>) -> Result<(), Violation> {
    push_key(key, out);
    if value.is_empty() {
        return Ok(());
    }
    out.push(b'=');
    let mut reader = Reader::new(value);
    let item = match key {
        0 => |reader: &mut Reader<'_>, out: &mut Vec<u8>| {
            push_key(reader.u16()?, out);
            Ok(())
        },
        1 => return protocols(&mut reader, out),
        3 | 9 => |reader: &mut Reader<'_>, out: &mut Vec<u8>| {
            push(out, reader.u16()?);
            Ok(())
        },
        4 => |reader: &mut Reader<'_>, out: &mut Vec<u8>| {
            push(out, Ipv4Addr::from(reader.array::<4>()?));
            Ok(())
        },
        5 => {
            base64(value, out);
            return Ok(());
        }
        6 => |reader: &mut Reader<'_>, out: &mut Vec<u8>| {
            push(out, Ipv6Addr::from(reader.array::<16>()?));
            Ok(())
        },
        _ => {
            quote(value, out);
            return Ok(());
        }
    };
    list(&mut reader, out, item)
}

/// Items with commas between them.
fn list(
    reader: &mut Reader<'_>,
    out: &mut Vec<u8>,
    item: fn(&mut Reader<'_>, &mut Vec<u8>) -> Result<(), Violation>,
) -> Result<(), Violation> {
    item(reader, out)?;
    while !reader.is_empty() {
        out.push(b',');
        item(reader, out)?;
    }
    Ok(())
}

/// ALPN identifiers; a backslash before a comma or backslash of one, and then as any text (RFC
/// 9460, appendix A.1).
fn protocols(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    let mut text = Vec::new();
    list(reader, &mut text, |reader, text| {
        for &byte in reader.counted()? {
            if matches!(byte, b',' | b'\\') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        Ok(())
    })?;
    quote(&text, out);
    Ok(())
}

fn push_key(key: u16, out: &mut Vec<u8>) {
    match KEYS.get(usize::from(key)) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => push(out, format_args!("key{key}")),
    }
}

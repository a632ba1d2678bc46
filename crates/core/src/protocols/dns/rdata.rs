//! Data of resource records as zone files write it, but for names: these have no final dot.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::message::Record;
use super::name::Reader;
use super::svcb;
use super::types;
use crate::protocols::Violation;

/// Bytes of data that are written of a record whose type has no form of its own.
const MOST_HEX: usize = 128;

/// Appends a record's data. Fails if a name in it cannot be read; what does not fit its type is
/// written without one (RFC 3597).
pub(super) fn write(message: &[u8], record: &Record, out: &mut Vec<u8>) -> Result<(), Violation> {
    let (begin, end) = record.data;
    let mut reader = Reader::within(message, begin, end);
    let start = out.len();
    match known(&mut reader, record.rtype, out) {
        Ok(true) if reader.is_empty() => Ok(()),
        Ok(_) | Err(Violation("dns message too short")) => {
            out.truncate(start);
            unknown(Reader::within(message, begin, end).rest(), out);
            Ok(())
        }
        Err(violation) => Err(violation),
    }
}

/// Whether the type has a form, which was appended.
fn known(reader: &mut Reader<'_>, rtype: u16, out: &mut Vec<u8>) -> Result<bool, Violation> {
    match rtype {
        types::A => push(out, Ipv4Addr::from(reader.array::<4>()?)),
        types::AAAA => push(out, Ipv6Addr::from(reader.array::<16>()?)),
        types::NS | types::CNAME | types::PTR | types::DNAME => reader.name(out)?,
        types::MX | types::AFSDB | types::KX => {
            push(out, reader.u16()?);
            spaced_name(reader, out)?;
        }
        types::RP => {
            reader.name(out)?;
            spaced_name(reader, out)?;
        }
        types::SOA => start_of_authority(reader, out)?,
        types::SRV => {
            numbers(reader, 3, out)?;
            spaced_name(reader, out)?;
        }
        types::TXT | types::SPF | types::HINFO => strings(reader, out)?,
        types::NAPTR => naming_authority(reader, out)?,
        types::CAA => authorisation(reader, out)?,
        types::URI => {
            numbers(reader, 2, out)?;
            out.push(b' ');
            quote(reader.rest(), out);
        }
        types::SVCB | types::HTTPS => svcb::write(reader, out)?,
        _ => return security(reader, rtype, out),
    }
    Ok(true)
}

/// The types that carry keys, digests and signatures.
fn security(reader: &mut Reader<'_>, rtype: u16, out: &mut Vec<u8>) -> Result<bool, Violation> {
    match rtype {
        types::DS | types::CDS => {
            write_out(out, format_args!("{} {} {} ", reader.u16()?, reader.u8()?, reader.u8()?));
            hex(reader.rest(), out);
        }
        types::SSHFP => {
            write_out(out, format_args!("{} {} ", reader.u8()?, reader.u8()?));
            hex(reader.rest(), out);
        }
        types::TLSA | types::SMIMEA => {
            let [usage, selector, matching] = reader.array()?;
            write_out(out, format_args!("{usage} {selector} {matching} "));
            hex(reader.rest(), out);
        }
        types::DNSKEY | types::CDNSKEY => {
            write_out(out, format_args!("{} {} {} ", reader.u16()?, reader.u8()?, reader.u8()?));
            base64(reader.rest(), out);
        }
        types::RRSIG => signature(reader, out)?,
        types::NSEC => {
            reader.name(out)?;
            bitmap(reader, out)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn start_of_authority(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    reader.name(out)?;
    spaced_name(reader, out)?;
    for _ in 0..5 {
        write_out(out, format_args!(" {}", reader.u32()?));
    }
    Ok(())
}

/// RFC 3403, section 4.1.
fn naming_authority(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    numbers(reader, 2, out)?;
    for _ in 0..3 {
        out.push(b' ');
        quote(reader.counted()?, out);
    }
    spaced_name(reader, out)
}

/// RFC 8659, section 4.1.
fn authorisation(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    push(out, reader.u8()?);
    out.push(b' ');
    out.extend_from_slice(reader.counted()?);
    out.push(b' ');
    quote(reader.rest(), out);
    Ok(())
}

/// RFC 4034, section 3.2; times as seconds since 1970, which it allows.
fn signature(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    out.extend_from_slice(types::type_name(reader.u16()?).as_bytes());
    write_out(out, format_args!(" {} {}", reader.u8()?, reader.u8()?));
    for _ in 0..3 {
        write_out(out, format_args!(" {}", reader.u32()?));
    }
    write_out(out, format_args!(" {}", reader.u16()?));
    spaced_name(reader, out)?;
    out.push(b' ');
    base64(reader.rest(), out);
    Ok(())
}

/// The types that a name has (RFC 4034, section 4.1.2).
fn bitmap(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    while !reader.is_empty() {
        let window = reader.u8()?;
        let bits = reader.counted()?.iter().take(32).enumerate();
        for (at, byte) in bits {
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                let rtype = u16::from_be_bytes([window, (at * 8 + bit) as u8]);
                out.push(b' ');
                out.extend_from_slice(types::type_name(rtype).as_bytes());
            }
        }
    }
    Ok(())
}

/// Strings with their counts before them, in quotes.
fn strings(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    quote(reader.counted()?, out);
    while !reader.is_empty() {
        out.push(b' ');
        quote(reader.counted()?, out);
    }
    Ok(())
}

/// Numbers of 16 bits with spaces between them.
fn numbers(reader: &mut Reader<'_>, count: usize, out: &mut Vec<u8>) -> Result<(), Violation> {
    push(out, reader.u16()?);
    for _ in 1..count {
        write_out(out, format_args!(" {}", reader.u16()?));
    }
    Ok(())
}

fn spaced_name(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), Violation> {
    out.push(b' ');
    reader.name(out)
}

/// Bytes in quotes, with a backslash before a quote or backslash.
pub(super) fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in bytes {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// RFC 3597, section 5; of much data the first bytes and three dots.
fn unknown(data: &[u8], out: &mut Vec<u8>) {
    write_out(out, format_args!("\\# {}", data.len()));
    if !data.is_empty() {
        out.push(b' ');
        hex(data.get(..MOST_HEX).unwrap_or(data), out);
    }
    if data.len() > MOST_HEX {
        out.extend_from_slice(b"...");
    }
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0') as u8;
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// Bytes in base 64.
pub(super) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
}

/// Appends a value as text.
pub(super) fn push(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    write_out(out, format_args!("{value}"));
}

fn write_out(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    struct Bytes<'a>(&'a mut Vec<u8>);
    impl std::fmt::Write for Bytes<'_> {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // Writing to memory cannot fail.
    let _ = Bytes(out).write_fmt(text);
}

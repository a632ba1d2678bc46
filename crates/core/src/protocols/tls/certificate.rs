//! What a server's certificate says of it (RFC 5280), in a form that is short to keep.

use x509_parser::asn1_rs::{Oid, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::packet::Nanos;
use crate::protocols::reader::Reader;

/// A certificate's own words.
pub(super) struct Certificate<'a> {
    /// Whose it is, as RFC 4514 writes it: the most special part first.
    pub subject: &'a [u8],
    /// Who signed it.
    pub issuer: &'a [u8],
    /// When it begins to be valid; missing where a nanosecond clock does not reach (1677 to 2262).
    pub not_before: Option<Nanos>,
    /// When it ends.
    pub not_after: Option<Nanos>,
    names: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads what [`pack`] wrote.
    pub(super) fn unpack(packed: &'a [u8]) -> Option<Self> {
        let mut packed = Reader::new(packed);
        Some(Self {
            not_before: time(&mut packed),
            not_after: time(&mut packed),
            subject: packed.vector24()?,
            issuer: packed.vector24()?,
            names: packed.vector24()?,
        })
    }

    /// The DNS names it is for.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a [u8]> + 'a {
        let mut names = Reader::new(self.names);
        std::iter::from_fn(move || names.vector24())
    }
}

/// What is kept of a certificate in DER; `None` if it is none.
pub(super) fn pack(der: &[u8]) -> Option<Vec<u8>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let validity = certificate.validity();
    let mut packed = Vec::with_capacity(256);
    for time in [&validity.not_before, &validity.not_after] {
        let nanos = time.timestamp().checked_mul(1_000_000_000);
        packed.extend(nanos.unwrap_or(Nanos::MIN).to_be_bytes());
    }
    push(&distinguished_name(certificate.subject()), &mut packed);
    push(&distinguished_name(certificate.issuer()), &mut packed);
    push(&dns_names(&certificate), &mut packed);
    Some(packed)
}

/// Bytes with their length before them.
fn push(bytes: &[u8], packed: &mut Vec<u8>) {
    // All come from a certificate of 64 KiB at most.
    packed.extend(bytes.len().to_be_bytes().iter().rev().take(3).rev());
    packed.extend(bytes);
}

fn time(packed: &mut Reader<'_>) -> Option<Nanos> {
    let nanos = Nanos::from_be_bytes(packed.take(8)?.try_into().ok()?);
    Some(nanos).filter(|nanos| *nanos != Nanos::MIN)
}

fn dns_names(certificate: &X509Certificate<'_>) -> Vec<u8> {
    let mut names = Vec::new();
    if let Ok(Some(extension)) = certificate.subject_alternative_name() {
        for name in &extension.value.general_names {
            if let GeneralName::DNSName(name) = name {
                push(name.as_bytes(), &mut names);
            }
        }
    }
    names
}

/// A name as RFC 4514 writes it, its bytes as they are.
fn distinguished_name(name: &X509Name<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for part in parts.into_iter().rev() {
        let mut separator = b',';
        for attribute in part.iter() {
            if !text.is_empty() {
                text.push(separator);
            }
            separator = b'+';
            let kind = attribute.attr_type();
            match short_name(kind) {
                Some(short) => text.extend(short.bytes()),
                None => text.extend(kind.to_id_string().bytes()),
            }
            text.push(b'=');
            let value = attribute.attr_value();
            push_escaped(&utf8(value.tag(), value.data), &mut text);
        }
    }
    text
}

/// Characters of two bytes as UTF-8; all other kinds of text as they are.
fn utf8(tag: Tag, value: &[u8]) -> Vec<u8> {
    if tag != Tag::BmpString {
        return value.to_vec();
    }
    let units = value.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
    let letters = char::decode_utf16(units.map(u16::from_be_bytes));
    letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
}

/// A value in which what has a meaning of its own stands behind a backslash.
fn push_escaped(value: &[u8], text: &mut Vec<u8>) {
    let last = value.len().saturating_sub(1);
    for (at, &byte) in value.iter().enumerate() {
        let special = match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => true,
            b'#' => at == 0,
            b' ' => at == 0 || at == last,
            _ => false,
        };
        if special {
            text.push(b'\\');
        }
        text.push(byte);
    }
}

/// Attributes by the short names that RFC 4514 and everybody else use.
fn short_name(kind: &Oid<'_>) -> Option<&'static str> {
    Some(match kind.as_bytes() {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 4] => "SN",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "STREET",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x55, 4, 12] => "title",
        [0x55, 4, 42] => "GN",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        _ => return None,
    })
}

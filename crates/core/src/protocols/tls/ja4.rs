//! JA4: a fingerprint of what a `ClientHello` offers, by `FoxIO`'s technical description of JA4.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Transport;
use super::hello::{ALPN, ClientHello, SERVER_NAME};
use super::names::is_grease;

/// The fingerprint of a hello, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub(super) fn ja4(hello: &ClientHello<'_>, transport: Transport) -> String {
    let mut ciphers: Vec<u16> = hello.ciphers().collect();
    let mut extensions: Vec<u16> =
        hello.extensions().map(|(number, _)| number).filter(|number| !is_grease(*number)).collect();
    let (first, last) = alpn_letters(hello.alpn().next().unwrap_or_default());
    let mut text = format!(
        "{}{}{}{:02}{:02}{first}{last}",
        transport.letter(),
        version(hello),
        if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' },
        ciphers.len().min(99),
        extensions.len().min(99),
    );
    ciphers.sort_unstable();
    extensions.retain(|number| ![SERVER_NAME, ALPN].contains(number));
    extensions.sort_unstable();
    push_hash(&list(ciphers.into_iter()), &mut text);
    let mut offered = list(extensions.into_iter());
    let algorithms = list(hello.signature_algorithms());
    if !offered.is_empty() && !algorithms.is_empty() {
        offered.push('_');
        offered.push_str(&algorithms);
    }
    push_hash(&offered, &mut text);
    text
}

/// The highest version by its number, whatever it means.
fn version(hello: &ClientHello<'_>) -> &'static str {
    match hello.versions().into_iter().max().unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last letter of the first protocol; if one is neither letter nor digit, those of its
/// bytes in hexadecimal.
fn alpn_letters(protocol: &[u8]) -> (char, char) {
    let (Some(&first), Some(&last)) = (protocol.first(), protocol.last()) else {
        return ('0', '0');
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return (first.into(), last.into());
    }
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    (digit(first >> 4), digit(last & 15))
}

/// Numbers in hexadecimal with commas between them.
fn list(numbers: impl Iterator<Item = u16>) -> String {
    let mut text = String::new();
    for number in numbers {
        if !text.is_empty() {
            text.push(',');
        }
        // The general formatter would be most of a hello's cost.
        let digits = [number >> 12, number >> 8 & 15, number >> 4 & 15, number & 15];
        text.extend(digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    }
    text
}

/// Appends the beginning of a list's SHA-256, zeros for an empty one.
fn push_hash(list: &str, text: &mut String) {
    text.push('_');
    if list.is_empty() {
        text.push_str("000000000000");
        return;
    }
    for byte in Sha256::digest(list).iter().take(6) {
        let _ = write!(text, "{byte:02x}");
    }
}

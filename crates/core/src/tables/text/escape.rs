//! What each format does to a text so that it stays one cell.

/// The first byte of a C1 control character in UTF-8 (and of U+00A0 to U+00BF).
const C1: u8 = 0xC2;

/// Appends a TSV cell: controls and backslashes escaped, a lone `-` kept apart from missing.
pub(super) fn tsv(text: &str, out: &mut Vec<u8>) {
    if text == "-" {
        return out.extend_from_slice(b"\\x2d");
    }
    let special = |byte| byte < b' ' || matches!(byte, b'\\' | 0x7F | C1);
    escaped(text, out, special, |byte, out| match byte {
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\\' => out.extend_from_slice(b"\\\\"),
        _ => {
            out.extend_from_slice(b"\\x");
            hex(byte, out);
        }
    });
}

/// Appends a CSV cell (RFC 4180), guarded against being read as a formula.
pub(super) fn csv(text: &str, out: &mut Vec<u8>) {
    let guard = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quote = text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r'));
    if quote {
        out.push(b'"');
    }
    if guard {
        out.push(b'\'');
    }
    escaped(text, out, |byte| byte == b'"', |_, out| out.extend_from_slice(b"\"\""));
    if quote {
        out.push(b'"');
    }
}

/// Appends a JSON string, quotes included (RFC 8259).
pub(super) fn json(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let special = |byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7F | C1);
    escaped(text, out, special, |byte, out| match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u00");
            hex(byte, out);
        }
    });
    out.push(b'"');
}

/// Appends a JSON string of ASCII alone, quotes included: all else is escaped (RFC 8259).
pub(super) fn ascii(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    ascii_within(text, out);
    out.push(b'"');
}

/// Appends a part of such a string.
pub(super) fn ascii_within(text: &str, out: &mut Vec<u8>) {
    if is_ascii(text.as_bytes()) {
        return out.extend_from_slice(text.as_bytes());
    }
    for letter in text.chars() {
        character(letter, out);
    }
}

/// Appends such a string of one character for each byte, U+0000 to U+00FF, quotes included.
pub(super) fn characters(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if is_ascii(bytes) {
        out.extend_from_slice(bytes);
    } else {
        for byte in bytes {
            character(char::from(*byte), out);
        }
    }
    out.push(b'"');
}

/// Whether nothing is to be escaped. Without an early end, so that many bytes are looked at at once.
fn is_ascii(bytes: &[u8]) -> bool {
    let special = |byte: u8| !(b' '..=b'~').contains(&byte) || byte == b'"' || byte == b'\\';
    bytes.iter().filter(|byte| special(**byte)).count() == 0
}

fn character(letter: char, out: &mut Vec<u8>) {
    match letter {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        ' '..='~' => out.push(letter as u8),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        _ => {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(b"\\u");
                for byte in unit.to_be_bytes() {
                    hex(byte, out);
                }
            }
        }
    }
}

/// Appends a byte as two hexadecimal digits.
pub(super) fn hex(byte: u8, out: &mut Vec<u8>) {
    let digit = |value: u8| {
        if value < 10 { b'0' + value } else { b'a' + value - 10 }
    };
    out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
}

/// Copies runs of ordinary bytes at once; `escape` gets each special one. Of the characters of
/// several bytes only C1 controls (U+0080 to U+009F, which terminals obey) can be special:
/// where [`C1`] is, they come as one value from 0x80 on.
fn escaped(
    text: &str,
    out: &mut Vec<u8>,
    special: impl Fn(u8) -> bool,
    escape: impl Fn(u8, &mut Vec<u8>),
) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| special(*byte)) {
        let (run, tail) = rest.split_at(at);
        out.extend_from_slice(run);
        rest = match tail {
            [C1, control @ 0x80..=0x9F, tail @ ..] => {
                escape(*control, out);
                tail
            }
            [C1, tail @ ..] => {
                out.push(C1);
                tail
            }
            [byte, tail @ ..] => {
                escape(*byte, out);
                tail
            }
            [] => tail,
        };
    }
    out.extend_from_slice(rest);
}

//! Text that strangers sent, as text columns keep it: exactly, whatever its bytes are.

use std::borrow::Cow;

/// The bytes as text, reversibly: the bytes of control characters (C0, DEL, C1) and those that are no
/// UTF-8 become `\xNN`, and so does a backslash that stands before an `x`, so that nothing else looks like it.
pub fn said(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(bytes) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(bytes)),
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    // Without an early end, so that many bytes are looked at at once.
    let suspects = bytes.iter().filter(|byte| is_control(**byte) || matches!(**byte, b'\\' | C1));
    let suspects = suspects.count();
    suspects == 0 || !bytes.iter().enumerate().any(|(at, &byte)| is_special(bytes, at, byte))
}

/// The first of the two bytes of a C1 control character, and of some that are none.
const C1: u8 = 0xc2;

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

fn is_special(bytes: &[u8], at: usize, byte: u8) -> bool {
    let next = bytes.get(at + 1);
    is_control(byte)
        || byte == b'\\' && next == Some(&b'x')
        || byte == C1 && matches!(next, Some(0x80..=0x9f))
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        for (at, letter) in valid.char_indices() {
            match u8::try_from(letter) {
                Ok(byte) if byte < 0x80 && is_special(valid.as_bytes(), at, byte) => {
                    push_hex(byte, &mut text);
                }
                Ok(byte @ 0x80..=0x9f) => {
                    push_hex(C1, &mut text);
                    push_hex(byte, &mut text);
                }
                _ => text.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_hex(byte, &mut text));
    }
    text
}

fn push_hex(byte: u8, text: &mut String) {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    text.push_str("\\x");
    text.push(digit(byte >> 4));
    text.push(digit(byte & 15));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::said;

    fn back(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("\\x") {
            bytes.extend(rest[..at].bytes());
            bytes.push(u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap());
            rest = &rest[at + 4..];
        }
        bytes.extend(rest.bytes());
        bytes
    }

    #[test]
    fn escapes_only_what_must_be() {
        let cases: [(&[u8], &str); 7] = [
            (b"plain \xc3\xa9", "plain \u{e9}"),
            (b"a\x00\x1b[1m\n", "a\\x00\\x1b[1m\\x0a"),
            (b"\xff\xfe", "\\xff\\xfe"),
            (b"C:\\temp", "C:\\temp"),
            (b"\\x41", "\\x5cx41"),
            (b"\\\xff", "\\\\xff"),
            (b"\xc2\x9b31m \xc2\xa0", "\\xc2\\x9b31m \u{a0}"),
        ];
        for (bytes, text) in cases {
            assert_eq!(said(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(bytes: Vec<u8>) {
            // A backslash just before an escaped byte is the one case that needs care.
            prop_assert_eq!(back(&said(&bytes)), bytes);
        }

        #[test]
        fn nothing_is_lost_of_backslashes(bytes in prop::collection::vec(prop::sample::select(b"\\x4\x01\xff".to_vec()), 0..12)) {
            prop_assert_eq!(back(&said(&bytes)), bytes);
        }
    }
}

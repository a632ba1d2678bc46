//! Text that strangers sent, as text columns keep it: exactly, whatever its bytes are.

use std::borrow::Cow;

/// The bytes as text, reversibly: control characters and bytes that are no UTF-8 become `\xNN`,
/// and so does a backslash that stands before an `x`, so that nothing else looks like it.
pub fn said(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(bytes) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(bytes)),
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    // Without an early end, so that many bytes are looked at at once.
    let suspects = bytes.iter().filter(|byte| is_control(**byte) || **byte == b'\\').count();
    suspects == 0 || !bytes.iter().enumerate().any(|(at, &byte)| is_special(bytes, at, byte))
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

fn is_special(bytes: &[u8], at: usize, byte: u8) -> bool {
    is_control(byte) || byte == b'\\' && bytes.get(at + 1) == Some(&b'x')
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
        let cases: [(&[u8], &str); 6] = [
            (b"plain \xc3\xa9", "plain \u{e9}"),
            (b"a\x00\x1b[1m\n", "a\\x00\\x1b[1m\\x0a"),
            (b"\xff\xfe", "\\xff\\xfe"),
            (b"C:\\temp", "C:\\temp"),
            (b"\\x41", "\\x5cx41"),
            (b"\\\xff", "\\\\xff"),
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

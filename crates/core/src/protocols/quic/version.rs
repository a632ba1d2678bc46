//! QUIC versions, by the number that every long header carries (RFC 8999, section 5.1).

use arrayvec::ArrayString;

/// A version's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(pub u32);

impl Version {
    /// RFC 9000.
    pub(super) const ONE: Self = Self(1);
    /// RFC 9369.
    pub(super) const TWO: Self = Self(0x6b33_43cf);

    /// What Initial keys are derived with (RFC 9001, section 5.2), for the versions that we read:
    /// 1, 2, and the drafts 29 to 34 of 1.
    pub(super) fn salt(self) -> Option<&'static [u8; 20]> {
        match self.0 {
            1 | 0xff00_0021..=0xff00_0022 => Some(&ONE_SALT),
            0x6b33_43cf => Some(&TWO_SALT),
            0xff00_001d..=0xff00_0020 => Some(&DRAFT_29_SALT),
            _ => None,
        }
    }

    /// Whether it was ever given to a QUIC, read by us or not: drafts of 1 and 2, Google's, and
    /// Facebook's.
    pub(super) fn is_known(self) -> bool {
        match self.0.to_be_bytes() {
            [b'Q' | b'T', b'0', tens, ones] => tens.is_ascii_digit() && ones.is_ascii_digit(),
            [0xff, 0, 0, draft] => draft > 0 && draft <= 34,
            [0xfa, 0xce, 0xb0, _] | [0x70, 0x9a, 0x50, 0xc4] => true,
            _ => self.salt().is_some(),
        }
    }

    /// As column `quic_version` has it.
    pub(super) fn text(self) -> ArrayString<10> {
        let mut text = ArrayString::new();
        // Ten characters are the longest.
        let _ = match self {
            Self::ONE => std::fmt::Write::write_str(&mut text, "1"),
            Self::TWO => std::fmt::Write::write_str(&mut text, "2"),
            Self(number) => std::fmt::Write::write_fmt(&mut text, format_args!("{number:#010x}")),
        };
        text
    }
}

const ONE_SALT: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];

/// RFC 9369, section 3.3.1.
const TWO_SALT: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
];

const DRAFT_29_SALT: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
    0x43, 0x90, 0xa8, 0x99,
];

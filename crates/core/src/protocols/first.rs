//! The first bytes of a connection, and what they can be.

use crate::flow::Direction;

/// What a protocol is recognised by.
#[derive(Clone, Copy, Debug)]
pub struct First<'a> {
    /// Which direction this is.
    pub direction: Direction,
    /// Its first bytes, as many as are there.
    pub data: &'a [u8],
    /// What the other direction has said so far, as much as was kept.
    pub other: &'a [u8],
    /// Whether nothing is missing before these bytes, so that they are no middle of anything.
    pub begun: bool,
    /// Ports of opener and called end: to tell protocols apart that say the same (mDNS and DNS),
    /// never to recognise one.
    pub ports: (u16, u16),
}

/// How sure a probe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// It is this protocol.
    Yes,
    /// More bytes, of either direction, would tell.
    Maybe,
    /// It is not.
    No,
}

impl Guess {
    /// Whether bytes begin with `magic`; maybe, as long as they are the beginning of it.
    pub fn begins(data: &[u8], magic: &[u8]) -> Self {
        if data.starts_with(magic) {
            Self::Yes
        } else if magic.starts_with(data) {
            Self::Maybe
        } else {
            Self::No
        }
    }

    /// Both of two: as sure as the less sure.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            _ => Self::Yes,
        }
    }

    /// The surer of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            _ => Self::No,
        }
    }
}

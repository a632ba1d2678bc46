//! Reading fixed fields out of bytes, in the byte order their writer chose.

/// A writer's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// Takes fields off the front of some bytes; `None` as soon as they do not suffice.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    endian: Endian,
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) fn new(rest: &'a [u8], endian: Endian) -> Self {
        Self { rest, endian }
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Option<u16> {
        let field = self.array()?;
        Some(match self.endian {
            Endian::Little => u16::from_le_bytes(field),
            Endian::Big => u16::from_be_bytes(field),
        })
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<u32> {
        let field = self.array()?;
        Some(match self.endian {
            Endian::Little => u32::from_le_bytes(field),
            Endian::Big => u32::from_be_bytes(field),
        })
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Option<u64> {
        let field = self.array()?;
        Some(match self.endian {
            Endian::Little => u64::from_le_bytes(field),
            Endian::Big => u64::from_be_bytes(field),
        })
    }

    #[inline]
    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*bytes)
    }

    /// What was not taken yet.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

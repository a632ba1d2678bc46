//! A stretch of a packet: the captured bytes, and how many were on the wire.

/// What is left of a packet. `wire` is never less than `data` holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// As captured.
    pub(super) data: &'a [u8],
    /// As sent.
    pub(super) wire: u32,
}

impl<'a> View<'a> {
    /// A view of `data`, of which `wire` bytes were sent.
    #[inline]
    pub(super) fn new(data: &'a [u8], wire: u32) -> Self {
        let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
        Self { data, wire: wire.max(captured) }
    }

    /// The first `N` bytes, when they were captured.
    #[inline]
    pub(super) fn head<const N: usize>(self) -> Option<&'a [u8; N]> {
        self.data.first_chunk()
    }

    /// What follows `count` bytes; empty when there are not so many.
    #[inline]
    pub(super) fn skip(self, count: usize) -> Self {
        let wire = self.wire.saturating_sub(count as u32);
        Self { data: self.data.get(count..).unwrap_or(&[]), wire }
    }

    /// At most the first `count` bytes: what lies behind is padding or a trailer.
    #[inline]
    pub(super) fn limit(self, count: u32) -> Self {
        let data = self.data.get(..count as usize).unwrap_or(self.data);
        Self { data, wire: self.wire.min(count) }
    }

    /// Whether every byte that was sent was also captured.
    pub(super) fn whole(self) -> bool {
        self.data.len() as u64 == u64::from(self.wire)
    }
}

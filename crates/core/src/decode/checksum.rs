//! The Internet checksum (RFC 1071).

use super::Address;

/// A ones' complement sum in the making, kept wide and folded at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum(u64);

impl Sum {
    /// Adds `data` as big-endian 16-bit words, the last byte padded with zero.
    pub(super) fn add(mut self, data: &[u8]) -> Self {
        let (pairs, last) = data.as_chunks::<2>();
        for pair in pairs {
            self.0 += u64::from(u16::from_be_bytes(*pair));
        }
        if let [byte] = last {
            self.0 += u64::from(*byte) << 8;
        }
        self
    }

    /// Adds a pseudo-header. An IPv4 address mapped into IPv6 serves as well as the bare one:
    /// the `ffff` before it is zero in ones' complement.
    pub(super) fn pseudo(mut self, src: &Address, dst: &Address, proto: u8, length: u32) -> Self {
        self.0 += u64::from(proto) + u64::from(length >> 16) + u64::from(length & 0xffff);
        self.add(src).add(dst)
    }

    /// Whether data that includes its own checksum is intact.
    pub(super) fn is_right(self) -> bool {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum >> 16) + (sum & 0xffff);
        }
        sum == 0xffff
    }
}

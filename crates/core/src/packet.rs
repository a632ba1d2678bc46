//! What every source yields: one captured frame, borrowed from the buffer it lies in.

use arrayvec::ArrayVec;

/// Nanoseconds since 1970-01-01 UTC, as the source stamped them.
pub type Nanos = i64;

/// A span as seconds, for columns.
pub fn seconds(span: Nanos) -> f64 {
    span as f64 / 1e9
}

/// Seconds between two times; none where a capture's clock went back.
pub fn seconds_between(from: Nanos, to: Nanos) -> f64 {
    seconds(to.saturating_sub(from).max(0))
}

/// How many packets travel together, so that the flow table can fetch memory ahead.
pub const BATCH: usize = 64;

/// Packets that share one borrow of their source's buffer, in the order of the source.
pub type PacketBatch<'a> = ArrayVec<Packet<'a>, BATCH>;

/// One frame as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was seen.
    pub ts: Nanos,
    /// Index into the source's list of interfaces.
    pub iface: u16,
    /// What the first byte of `data` is the start of.
    pub link: LinkType,
    /// Bytes on the wire; more than `data` holds when the capture was cut by a snap length.
    pub wire_len: u32,
    /// The captured bytes.
    pub data: &'a [u8],
}

/// A link-layer header type, numbered as in <https://www.tcpdump.org/linktypes.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-byte address family in the byte order of the writer.
    pub const NULL: Self = Self(0);
    /// Ethernet II and 802.3.
    pub const ETHERNET: Self = Self(1);
    /// IPv4 or IPv6 without a link header (as DLT 12 on most systems).
    pub const RAW_DLT: Self = Self(12);
    /// The same on `OpenBSD` (DLT 14).
    pub const RAW_OPENBSD: Self = Self(14);
    /// IPv4 or IPv6 without a link header.
    pub const RAW: Self = Self(101);
    /// `OpenBSD` loopback: a 4-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture.
    pub const LINUX_SLL: Self = Self(113);
    /// IPv4 only.
    pub const IPV4: Self = Self(228);
    /// IPv6 only.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// The type's name as the registry has it, or `None` for one we have no name for.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "NULL",
            1 => "ETHERNET",
            6 => "IEEE802_5",
            8 => "SLIP",
            9 => "PPP",
            10 => "FDDI",
            12 | 14 | 101 => "RAW",
            50 => "PPP_HDLC",
            51 => "PPP_ETHER",
            104 => "C_HDLC",
            105 => "IEEE802_11",
            107 => "FRELAY",
            108 => "LOOP",
            113 => "LINUX_SLL",
            117 => "PFLOG",
            119 => "PRISM_HEADER",
            127 => "IEEE802_11_RADIOTAP",
            147..=162 => "USER",
            187 => "BLUETOOTH_HCI_H4",
            189 => "USB_LINUX",
            192 => "PPI",
            195 => "IEEE802_15_4_WITHFCS",
            220 => "USB_LINUX_MMAPPED",
            228 => "IPV4",
            229 => "IPV6",
            239 => "NFLOG",
            249 => "USBPCAP",
            276 => "LINUX_SLL2",
            _ => return None,
        })
    }
}

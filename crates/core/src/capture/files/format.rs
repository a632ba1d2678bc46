//! Which format a file has, and what a format says about the bytes at hand.

use super::numbering::Interfaces;
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use crate::capture::Interface;
use crate::packet::PacketBatch;

/// The most bytes one packet or block may have; a longer one is skipped (pcapng) or shows
/// that the file is damaged (pcap). Wireshark refuses blocks beyond the same bound.
pub(in crate::capture) const MAX_BLOCK: usize = 16 << 20;

/// What stands at the front of the bytes at hand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole packet that can be used.
    Packet,
    /// Something that takes this many bytes in all, more than there are.
    Need(usize),
    /// This many bytes that give no packet; perhaps an interface.
    Skip(usize, Option<Interface>),
    /// Nonsense: what is wrong with it.
    Damaged(String),
}

/// The formats.
#[derive(Debug)]
pub(super) enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// What the first bytes of a file show.
#[derive(Debug)]
pub(super) enum Identified {
    /// A capture, and the size of its header (0 where the format reads it itself).
    As(Format, usize),
    /// More bytes are needed to say: this many.
    Need(usize),
    /// No capture: what it is instead.
    Not(String),
}

impl Format {
    /// Looks at how a file begins.
    pub(super) fn identify(bytes: &[u8]) -> Identified {
        let Some(&magic) = bytes.first_chunk::<4>() else {
            return Identified::Need(4);
        };
        if Pcap::is_magic(magic) {
            return match Pcap::open(bytes) {
                Some(pcap) => Identified::As(Self::Pcap(pcap), Pcap::HEADER),
                None => Identified::Need(Pcap::HEADER),
            };
        }
        if magic != Pcapng::MAGIC {
            return Identified::Not(describe(bytes));
        }
        match Pcapng::is_section(bytes) {
            None => Identified::Need(Pcapng::SHORTEST_SECTION),
            Some(true) => Identified::As(Self::Pcapng(Pcapng::default()), 0),
            Some(false) => Identified::Not(describe(bytes)),
        }
    }

    /// Says what is next. Call until it is a packet, then call [`Self::packets`].
    pub(super) fn step(&mut self, bytes: &[u8], interfaces: &mut Interfaces) -> Step {
        match self {
            Self::Pcap(pcap) => pcap.step(bytes, interfaces),
            Self::Pcapng(pcapng) => pcapng.step(bytes, interfaces),
        }
    }

    /// Gathers packets until the batch is full or something else comes; gives the bytes used.
    #[inline]
    pub(super) fn packets<'a>(&mut self, bytes: &'a [u8], batch: &mut PacketBatch<'a>) -> usize {
        match self {
            Self::Pcap(pcap) => pcap.packets(bytes, batch),
            Self::Pcapng(pcapng) => pcapng.packets(bytes, batch),
        }
    }

    /// What was passed over so far, in words.
    pub(super) fn passed_over(&self) -> Vec<String> {
        match self {
            Self::Pcap(_) => Vec::new(),
            Self::Pcapng(pcapng) => pcapng.skipped.lines(),
        }
    }
}

/// Files that people take for captures, by their first bytes (four at most are sure to be there), and what to do about them.
const OTHERS: [(&[u8], &str); 9] = [
    (b"BZh", "compressed with bzip2; unpack it first (bunzip2)"),
    (b"\xfd7zX", "compressed with xz; unpack it first (unxz)"),
    (b"\x04\x22\x4d\x18", "compressed with lz4; unpack it first (unlz4)"),
    (b"PK\x03\x04", "a zip archive; unpack it first (unzip)"),
    (b"snoo", "a snoop capture; convert it first (editcap -F pcapng)"),
    (b"GMBU", "a Network Monitor capture; convert it first (editcap -F pcapng)"),
    (b"RTSS", "a Network Monitor capture; convert it first (editcap -F pcapng)"),
    (b"\x1c\x00\x01\xac", "an IxVeriWave capture; convert it first (editcap -F pcapng)"),
    (b"\x7fELF", "a program, not a capture"),
];

/// Says what was found instead of a capture.
fn describe(bytes: &[u8]) -> String {
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return (*what).to_owned();
    }
    let first: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("neither pcap nor pcapng (begins with {})", first.join(" "))
}

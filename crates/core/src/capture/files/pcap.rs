//! The pcap format (draft-ietf-opsawg-pcap): one header, then records.

use super::endian::{Endian, Fields};
use super::format::{MAX_BLOCK, Step};
use super::numbering::Interfaces;
use crate::packet::{LinkType, Nanos, Packet, PacketBatch};

const SECOND: Nanos = 1_000_000_000;

/// The longest packet accepted when the header announces no longer ones (as libpcap's).
const MAX_PACKET: usize = 256 << 10;

/// Bytes of a record's header.
const RECORD: usize = 16;

/// What a pcap file's header says.
#[derive(Debug)]
pub(super) struct Pcap {
    endian: Endian,
    /// Nanoseconds per unit of a record's fraction of a second.
    unit: Nanos,
    /// Bytes between a record's header and its packet: 8 in Kuznetzov's variant, else 0.
    extra: usize,
    /// Before version 2.4, some writers had captured and wire length the other way round.
    may_swap: bool,
    link: LinkType,
    max_packet: usize,
    /// The interface's number, once announced.
    iface: Option<u16>,
}

impl Pcap {
    /// Bytes of the file's header.
    pub(super) const HEADER: usize = 24;

    pub(super) fn is_magic(magic: [u8; 4]) -> bool {
        variant(magic).is_some()
    }

    /// Reads the header; `None` if there are too few bytes or the magic is wrong.
    pub(super) fn open(bytes: &[u8]) -> Option<Self> {
        let (endian, unit, extra) = variant(*bytes.first_chunk()?)?;
        let mut fields = Fields::new(bytes.get(4..)?, endian);
        let (major, minor) = (fields.u16()?, fields.u16()?);
        fields.array::<8>()?;
        let snaplen = fields.u32()?;
        // The upper bits tell of frame check sequences; no one sets them reliably.
        let link = LinkType(fields.u32()? as u16);
        Some(Self {
            endian,
            unit,
            extra,
            may_swap: (major, minor) < (2, 4),
            link,
            max_packet: max_packet(link, snaplen as usize),
            iface: None,
        })
    }

    pub(super) fn step(&mut self, bytes: &[u8], interfaces: &mut Interfaces) -> Step {
        if self.iface.is_none() {
            let (number, new) = interfaces.add(None);
            self.iface = Some(number);
            return Step::Skip(0, new);
        }
        let Some((.., captured, _)) = self.header(Fields::new(bytes, self.endian)) else {
            return Step::Need(RECORD);
        };
        let whole = RECORD + self.extra + captured;
        if captured > self.max_packet {
            Step::Damaged(format!("a packet of {captured} bytes, more than {}", self.max_packet))
        } else if bytes.len() < whole {
            Step::Need(whole)
        } else {
            Step::Packet
        }
    }

    #[inline]
    pub(super) fn packets<'a>(&self, bytes: &'a [u8], batch: &mut PacketBatch<'a>) -> usize {
        let iface = self.iface.unwrap_or_default();
        let mut rest = bytes;
        while !batch.is_full()
            && let Some((packet, after)) = self.packet(rest, iface)
        {
            batch.push(packet);
            rest = after;
        }
        bytes.len() - rest.len()
    }

    #[inline]
    fn packet<'a>(&self, bytes: &'a [u8], iface: u16) -> Option<(Packet<'a>, &'a [u8])> {
        let (head, rest) = bytes.split_first_chunk::<RECORD>()?;
        let (ts, captured, wire_len) = self.header(Fields::new(head, self.endian))?;
        if captured > self.max_packet {
            return None;
        }
        let (data, rest) = rest.get(self.extra..)?.split_at_checked(captured)?;
        Some((Packet { ts, iface, link: self.link, wire_len, data }, rest))
    }

    /// Time, captured length and wire length, the latter never less than the former.
    #[inline]
    fn header(&self, mut fields: Fields<'_>) -> Option<(Nanos, usize, u32)> {
        let (seconds, fraction) = (fields.u32()?, fields.u32()?);
        let (captured, wire) = (fields.u32()?, fields.u32()?);
        // At most 2^32 s and 2^32 µs: far from overflowing.
        let ts = Nanos::from(seconds) * SECOND + Nanos::from(fraction) * self.unit;
        if wire >= captured {
            Some((ts, captured as usize, wire))
        } else if self.may_swap {
            Some((ts, wire as usize, captured))
        } else {
            Some((ts, captured as usize, captured))
        }
    }
}

/// Byte order, nanoseconds per unit and extra bytes per record, as the magic number says.
fn variant(magic: [u8; 4]) -> Option<(Endian, Nanos, usize)> {
    Some(match magic {
        [0xd4, 0xc3, 0xb2, 0xa1] => (Endian::Little, 1000, 0),
        [0xa1, 0xb2, 0xc3, 0xd4] => (Endian::Big, 1000, 0),
        [0x4d, 0x3c, 0xb2, 0xa1] => (Endian::Little, 1, 0),
        [0xa1, 0xb2, 0x3c, 0x4d] => (Endian::Big, 1, 0),
        [0x34, 0xcd, 0xb2, 0xa1] => (Endian::Little, 1000, 8),
        [0xa1, 0xb2, 0xcd, 0x34] => (Endian::Big, 1000, 8),
        _ => return None,
    })
}

/// A longer record means that the file is damaged. USB and D-Bus have long packets and
/// writers that announce short ones.
fn max_packet(link: LinkType, snaplen: usize) -> usize {
    match link.0 {
        189 | 220 | 231 | 249 | 266 => MAX_BLOCK,
        // 0 and the largest numbers mean "no limit", but nobody captures 16 MiB at once.
        _ if snaplen > MAX_BLOCK => MAX_PACKET,
        _ => snaplen.max(MAX_PACKET),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const MAGICS: [(u32, Nanos, usize); 3] =
        [(0xa1b2_c3d4, 1000, 0), (0xa1b2_3c4d, 1, 0), (0xa1b2_cd34, 1000, 8)];

    /// A file with a header and one record, every number in the given byte order.
    fn file(big: bool, magic: u32, extra: usize, record: [u32; 4], data: &[u8]) -> Vec<u8> {
        let put = |number: u32| {
            if big { number.to_be_bytes() } else { number.to_le_bytes() }
        };
        let version = if big { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
        let head = [put(magic), version, put(0), put(0), put(65535), put(0x1000_0071)];
        let mut bytes = [head.concat(), record.map(put).concat()].concat();
        bytes.extend(std::iter::repeat_n(0, extra));
        bytes.extend_from_slice(data);
        bytes
    }

    fn opened(bytes: &[u8]) -> Pcap {
        let mut pcap = Pcap::open(bytes).unwrap();
        assert!(matches!(pcap.step(&[], &mut Interfaces::default()), Step::Skip(0, Some(_))));
        pcap
    }

    #[test]
    fn every_variant_in_both_byte_orders() {
        for (magic, unit, extra) in MAGICS {
            for big in [false, true] {
                let bytes = file(big, magic, extra, [7, 9, 3, 60], b"abc");
                assert!(Pcap::is_magic(*bytes.first_chunk().unwrap()));
                let mut batch = PacketBatch::new();
                let used = opened(&bytes).packets(&bytes[Pcap::HEADER..], &mut batch);
                assert_eq!(used, bytes.len() - Pcap::HEADER);
                let packet = batch[0];
                assert_eq!(
                    (packet.ts, packet.wire_len, packet.data),
                    (7 * SECOND + 9 * unit, 60, &b"abc"[..])
                );
                assert_eq!(packet.link, LinkType::LINUX_SLL, "FCS bits ignored");
            }
        }
    }

    #[test]
    fn a_record_is_used_only_when_whole() {
        let bytes = file(false, 0xa1b2_c3d4, 0, [0, 0, 3, 3], b"abc");
        let mut pcap = opened(&bytes);
        let none = &mut Interfaces::default();
        for cut in Pcap::HEADER..bytes.len() {
            assert!(matches!(pcap.step(&bytes[Pcap::HEADER..cut], none), Step::Need(_)));
            assert_eq!(pcap.packets(&bytes[Pcap::HEADER..cut], &mut PacketBatch::new()), 0);
        }
        assert_eq!(pcap.step(&bytes[Pcap::HEADER..], none), Step::Packet);
    }

    #[test]
    fn an_impossible_length_is_damage() {
        let bytes = file(false, 0xa1b2_c3d4, 0, [0, 0, 1 << 30, 60], b"abc");
        let mut pcap = opened(&bytes);
        assert!(matches!(
            pcap.step(&bytes[Pcap::HEADER..], &mut Interfaces::default()),
            Step::Damaged(_)
        ));
        assert_eq!(pcap.packets(&bytes[Pcap::HEADER..], &mut PacketBatch::new()), 0);
    }

    #[test]
    fn the_largest_numbers_fit() {
        let bytes = file(true, 0xa1b2_c3d4, 0, [u32::MAX, u32::MAX, 0, 0], b"");
        let mut batch = PacketBatch::new();
        opened(&bytes).packets(&bytes[Pcap::HEADER..], &mut batch);
        assert_eq!(batch[0].ts, Nanos::from(u32::MAX) * (SECOND + 1000));
    }
}

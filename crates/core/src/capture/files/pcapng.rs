//! The pcapng format (draft-ietf-opsawg-pcapng): sections of blocks.

use super::endian::{Endian, Fields};
use super::format::{MAX_BLOCK, Step};
use super::numbering::Interfaces;
use super::timestamp::Clock;
use crate::packet::{LinkType, Nanos, Packet, PacketBatch};

/// Interfaces kept per section; packets on later ones are skipped and counted.
const MAX_INTERFACES: usize = 1 << 16;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;

/// Reads a pcapng file block by block.
#[derive(Debug)]
pub(super) struct Pcapng {
    endian: Endian,
    /// The current section's interfaces.
    interfaces: Vec<Described>,
    /// The time of the last packet, for simple packets, which have none.
    last: Nanos,
    pub(super) skipped: Skipped,
}

/// What was passed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    /// Blocks of a type that no one has told us.
    pub(super) unknown: u64,
    /// The type of the first of them.
    pub(super) first_unknown: u32,
    /// Blocks longer than [`MAX_BLOCK`].
    pub(super) too_long: u64,
    /// Packet blocks whose fields contradict each other.
    pub(super) malformed: u64,
    /// Packets on an interface that was not described.
    pub(super) no_interface: u64,
}

/// An interface description block.
#[derive(Debug)]
struct Described {
    /// The number in the capture as a whole.
    number: u16,
    link: LinkType,
    /// Bytes kept of a packet, 0 for all.
    snaplen: u32,
    clock: Clock,
    /// Lost packets according to the last statistics.
    lost: u64,
}

/// A block that is all there.
struct Block<'a> {
    kind: u32,
    body: &'a [u8],
    /// Bytes in all, with head and tail.
    size: usize,
}

/// Why there is no packet in a block.
enum NoPacket {
    Other,
    Malformed,
    NoInterface,
}

impl Default for Pcapng {
    fn default() -> Self {
        Self {
            endian: Endian::Little,
            interfaces: Vec::new(),
            last: 0,
            skipped: Skipped::default(),
        }
    }
}

impl Pcapng {
    /// How every file and every section begins, in either byte order.
    pub(super) const MAGIC: [u8; 4] = SECTION.to_be_bytes();

    /// Bytes of a section header without options.
    pub(super) const SHORTEST_SECTION: usize = 28;

    /// Whether a section header stands here; `None` if there are too few bytes to say.
    pub(super) fn is_section(bytes: &[u8]) -> Option<bool> {
        let head = bytes.first_chunk::<{ Self::SHORTEST_SECTION }>()?;
        Some(byte_order(head).is_some())
    }

    pub(super) fn step(&mut self, bytes: &[u8], interfaces: &mut Interfaces) -> Step {
        let block = match self.block(bytes) {
            Ok(block) => block,
            Err(step) => return self.without_block(step),
        };
        let skip = Step::Skip(block.size, None);
        match block.kind {
            SECTION => return self.section(&block, interfaces),
            INTERFACE => return self.interface(&block, interfaces),
            STATISTICS => {
                self.statistics(block.body, interfaces);
                return skip;
            }
            PACKET | OLD_PACKET | SIMPLE_PACKET => {}
            kind => {
                self.skipped.note_kind(kind);
                return skip;
            }
        }
        match self.packet(&block) {
            Ok(_) => return Step::Packet,
            Err(NoPacket::NoInterface) => self.skipped.no_interface += 1,
            Err(NoPacket::Malformed | NoPacket::Other) => self.skipped.malformed += 1,
        }
        skip
    }

    pub(super) fn packets<'a>(&mut self, bytes: &'a [u8], batch: &mut PacketBatch<'a>) -> usize {
        let mut rest = bytes;
        while !batch.is_full()
            && let Ok(block) = self.block(rest)
            && let Ok(packet) = self.packet(&block)
        {
            self.last = packet.ts;
            batch.push(packet);
            rest = rest.get(block.size..).unwrap_or_default();
        }
        bytes.len() - rest.len()
    }

    /// The block at the front, or what keeps it from being used.
    #[inline]
    fn block<'a>(&self, bytes: &'a [u8]) -> Result<Block<'a>, Step> {
        let endian = if bytes.starts_with(&Self::MAGIC) {
            if bytes.len() < 12 {
                return Err(Step::Need(12));
            }
            byte_order(bytes)
                .ok_or_else(|| Step::Damaged("a section without a byte order".to_owned()))?
        } else {
            self.endian
        };
        let mut fields = Fields::new(bytes, endian);
        let (Some(kind), Some(length)) = (fields.u32(), fields.u32()) else {
            return Err(Step::Need(12));
        };
        if length < 12 {
            return Err(Step::Damaged(format!("a block of {length} bytes")));
        }
        // Some writers forget the padding in the length.
        let size = (length as usize).saturating_add(3) & !3;
        if size > MAX_BLOCK {
            return Err(too_long(kind, length));
        }
        let Some(body) = fields.bytes(size - 12) else {
            return Err(Step::Need(size));
        };
        match fields.u32() {
            None => Err(Step::Need(size)),
            Some(tail) if tail == length || tail as usize == size => Ok(Block { kind, body, size }),
            Some(tail) => Err(Step::Damaged(format!(
                "a block of {length} bytes at its start, {tail} at its end"
            ))),
        }
    }

    /// Counts a block that is passed over unread.
    fn without_block(&mut self, step: Step) -> Step {
        if let Step::Skip(..) = step {
            self.skipped.too_long += 1;
        }
        step
    }

    fn section(&mut self, block: &Block<'_>, interfaces: &mut Interfaces) -> Step {
        let Some(magic) = block.body.first_chunk::<4>() else {
            return Step::Damaged("a section header that is too short".to_owned());
        };
        self.endian = endian_of(*magic).unwrap_or(self.endian);
        let mut fields = Fields::new(block.body.get(4..).unwrap_or_default(), self.endian);
        match fields.u16() {
            Some(1) => {}
            Some(major) => {
                return Step::Damaged(format!("a section of version {major}, which is unknown"));
            }
            None => return Step::Damaged("a section header that is too short".to_owned()),
        }
        self.interfaces.clear();
        interfaces.begin_section();
        Step::Skip(block.size, None)
    }

    fn interface(&mut self, block: &Block<'_>, interfaces: &mut Interfaces) -> Step {
        let mut fields = Fields::new(block.body, self.endian);
        let (Some(link), Some(_reserved), Some(snaplen)) =
            (fields.u16(), fields.u16(), fields.u32())
        else {
            return Step::Damaged("an interface description that is too short".to_owned());
        };
        if self.interfaces.len() >= MAX_INTERFACES {
            return Step::Skip(block.size, None);
        }
        let (mut name, mut resolution, mut offset) = (None, 6, 0);
        for (code, value) in options(fields.rest(), self.endian) {
            match (code, value) {
                (2, text) => name = Some(text),
                (9, &[unit, ..]) => resolution = unit,
                (14, value) => {
                    offset = Fields::new(value, self.endian).u64().unwrap_or_default() as i64;
                }
                _ => {}
            }
        }
        let (number, new) = interfaces.add(name);
        let clock = Clock::new(resolution, offset);
        self.interfaces.push(Described { number, link: LinkType(link), snaplen, clock, lost: 0 });
        Step::Skip(block.size, new)
    }

    /// Takes over what the capturing program lost: its counters run from its start.
    fn statistics(&mut self, body: &[u8], interfaces: &mut Interfaces) {
        let mut fields = Fields::new(body, self.endian);
        let (Some(index), Some(_time)) = (fields.u32(), fields.u64()) else {
            return;
        };
        let Some(described) = self.interfaces.get_mut(index as usize) else {
            return;
        };
        // isb_ifdrop and isb_osdrop: lost by the interface and by the system.
        let lost = options(fields.rest(), self.endian)
            .filter(|&(code, _)| code == 5 || code == 7)
            .filter_map(|(_, value)| Fields::new(value, self.endian).u64())
            .fold(0, u64::saturating_add);
        interfaces.lost(described.number, lost.saturating_sub(described.lost));
        described.lost = described.lost.max(lost);
    }

    #[inline]
    fn packet<'a>(&self, block: &Block<'a>) -> Result<Packet<'a>, NoPacket> {
        let fields = Fields::new(block.body, self.endian);
        match block.kind {
            PACKET => self.timed(fields, Fields::u32),
            OLD_PACKET => self.timed(fields, |fields| {
                let (index, _drops) = (fields.u16()?, fields.u16()?);
                Some(u32::from(index))
            }),
            SIMPLE_PACKET => self.simple(fields),
            _ => Err(NoPacket::Other),
        }
    }

    /// An enhanced packet, or the obsolete kind that has the same fields but the first.
    #[inline]
    fn timed<'a>(
        &self,
        mut fields: Fields<'a>,
        index: impl FnOnce(&mut Fields<'a>) -> Option<u32>,
    ) -> Result<Packet<'a>, NoPacket> {
        let read = || {
            let index = index(&mut fields)?;
            let time = u64::from(fields.u32()?) << 32 | u64::from(fields.u32()?);
            let (captured, wire) = (fields.u32()?, fields.u32()?);
            Some((index, time, fields.bytes(captured as usize)?, wire.max(captured)))
        };
        let (index, time, data, wire_len) = read().ok_or(NoPacket::Malformed)?;
        let iface = self.interfaces.get(index as usize).ok_or(NoPacket::NoInterface)?;
        Ok(Packet {
            ts: iface.clock.nanos(time),
            iface: iface.number,
            link: iface.link,
            wire_len,
            data,
        })
    }

    /// A packet of the first interface without a time; it gets the last one seen.
    fn simple<'a>(&self, mut fields: Fields<'a>) -> Result<Packet<'a>, NoPacket> {
        let wire_len = fields.u32().ok_or(NoPacket::Malformed)?;
        let iface = self.interfaces.first().ok_or(NoPacket::NoInterface)?;
        let limit = if iface.snaplen == 0 { u32::MAX } else { iface.snaplen };
        let data = fields.bytes(wire_len.min(limit) as usize).ok_or(NoPacket::Malformed)?;
        Ok(Packet { ts: self.last, iface: iface.number, link: iface.link, wire_len, data })
    }
}

impl Skipped {
    /// Counts a block that is neither a packet nor about packets, if its type is news to us.
    fn note_kind(&mut self, kind: u32) {
        // Names, custom blocks, systemd journal, decryption secrets, Apple's process information.
        if !matches!(kind, 4 | 9 | 10 | 0xbad | 0x4000_0bad | 0x8000_0001) {
            if self.unknown == 0 {
                self.first_unknown = kind;
            }
            self.unknown += 1;
        }
    }

    /// What a reader of the capture should know.
    pub(super) fn lines(&self) -> Vec<String> {
        let unknown =
            format!("blocks of unknown type skipped (the first is 0x{:08x})", self.first_unknown);
        [
            (self.unknown, unknown.as_str()),
            (self.too_long, "blocks over 16 MiB skipped"),
            (self.malformed, "packet blocks with impossible lengths skipped"),
            (self.no_interface, "packets skipped whose interface is not described"),
        ]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }
}

/// Passes over a block that is too long, unless it looks made up or others depend on it.
#[cold]
fn too_long(kind: u32, length: u32) -> Step {
    if kind == SECTION || kind == INTERFACE || !length.is_multiple_of(4) {
        return Step::Damaged(format!("a block of {length} bytes"));
    }
    Step::Skip(length as usize, None)
}

/// The options of a block, as code and value, until they end or make no sense.
fn options(bytes: &[u8], endian: Endian) -> impl Iterator<Item = (u16, &[u8])> {
    let mut fields = Fields::new(bytes, endian);
    std::iter::from_fn(move || {
        let (code, length) = (fields.u16()?, usize::from(fields.u16()?));
        let value = fields.bytes(length)?;
        fields.bytes(length.next_multiple_of(4) - length);
        (code != 0).then_some((code, value))
    })
}

/// The byte order of the section header block at the front.
fn byte_order(block: &[u8]) -> Option<Endian> {
    endian_of(*block.get(8..)?.first_chunk()?)
}

fn endian_of(magic: [u8; 4]) -> Option<Endian> {
    match magic {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Endian::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Endian::Big),
        _ => None,
    }
}

//! One pcapng file that is being written.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::RecordStats;
use super::blocks;
use crate::capture::files::MAX_BLOCK;
use crate::packet::{LinkType, Nanos, Packet};

/// Bytes gathered before they are written.
const PIECE: usize = 256 << 10;

/// Bytes of an interface description without its name, padding included.
const INTERFACE_HEAD: usize = 44;

/// A file, whole blocks gathered for it, and what its section has described.
pub(super) struct Recording {
    path: PathBuf,
    file: File,
    snaplen: u32,
    /// Bytes in the file, all of them whole blocks.
    written: u64,
    gathered: Vec<u8>,
    gathered_packets: u64,
    /// Whether a section was begun that later blocks may belong to.
    in_section: bool,
    /// Interfaces of the section: pcapng wants one for each link type.
    described: Vec<(u16, LinkType)>,
    /// The one used last, which is most likely the next.
    last: usize,
    first: Option<Nanos>,
    /// A failed write could not be undone: what follows it would be unreadable.
    broken: bool,
}

impl Recording {
    /// What fits into a block that readers accept.
    pub(super) const MAX_PACKET: usize = MAX_BLOCK - 64;

    pub(super) fn new(path: PathBuf, file: File, snaplen: u32) -> Self {
        let mut recording = Self {
            path,
            file,
            snaplen,
            written: 0,
            gathered: Vec::with_capacity(PIECE + (PIECE >> 2)),
            gathered_packets: 0,
            in_section: false,
            described: Vec::new(),
            last: 0,
            first: None,
            broken: false,
        };
        recording.begin_section();
        recording
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in the file once all is written.
    pub(super) fn size(&self) -> u64 {
        self.written + self.gathered.len() as u64
    }

    /// Whether so much is gathered that it should be written.
    pub(super) fn is_due(&self) -> bool {
        self.gathered.len() >= PIECE
    }

    pub(super) fn has_packets(&self) -> bool {
        self.first.is_some()
    }

    /// Time from the first packet to `ts`.
    pub(super) fn span(&self, ts: Nanos) -> Nanos {
        self.first.map_or(0, |first| ts.saturating_sub(first))
    }

    /// The most bytes that a packet can add.
    pub(super) fn needed(packet: &Packet<'_>, name: &str) -> u64 {
        let interface = INTERFACE_HEAD + name.len();
        (blocks::PACKET_HEAD + interface + packet.data.len().next_multiple_of(4)) as u64
    }

    /// Gathers a packet, with its interface's description before the first.
    pub(super) fn packet(&mut self, packet: &Packet<'_>, name: &str) {
        let interface = self.describe(packet.iface, packet.link, name);
        let wire_len = packet.wire_len.max(packet.data.len() as u32);
        blocks::packet(&mut self.gathered, interface, packet.ts, wire_len, packet.data);
        self.gathered_packets += 1;
        self.first.get_or_insert(packet.ts);
    }

    /// Gathers an interface's statistics.
    pub(super) fn statistics(&mut self, iface: u16, name: &str, ts: Nanos, lost: u64) {
        let known = self.described.iter().find(|&&(number, _)| number == iface);
        let link = known.map_or(LinkType::ETHERNET, |&(_, link)| link);
        let interface = self.describe(iface, link, name);
        blocks::statistics(&mut self.gathered, interface, ts, lost);
    }

    /// Writes what is gathered, or forgets it and leaves the file as it was.
    pub(super) fn flush(&mut self, stats: &mut RecordStats) -> io::Result<()> {
        let result = if self.broken {
            Err(io::Error::other("an earlier failure to write left it unusable"))
        } else {
            self.file.write_all(&self.gathered)
        };
        let packets = std::mem::take(&mut self.gathered_packets);
        let bytes = self.gathered.len() as u64;
        self.gathered.clear();
        if result.is_ok() {
            self.written += bytes;
            stats.bytes += bytes;
            stats.packets += packets;
        } else {
            stats.lost += packets;
            self.undo();
        }
        result
    }

    /// Cuts off what a failed write left; the next blocks begin a section of their own,
    /// since descriptions may have been lost.
    fn undo(&mut self) {
        let cut = self.file.set_len(self.written);
        let back = cut.and_then(|()| self.file.seek(SeekFrom::Start(self.written)));
        self.broken |= back.is_err();
        self.in_section = false;
    }

    fn begin_section(&mut self) {
        blocks::section(&mut self.gathered);
        self.described.clear();
        self.in_section = true;
    }

    /// The section's number of an interface, described now if it is not yet.
    fn describe(&mut self, iface: u16, link: LinkType, name: &str) -> u32 {
        if !self.in_section {
            self.begin_section();
        }
        let wanted = (iface, link);
        if self.described.get(self.last) != Some(&wanted) {
            let known = self.described.iter().position(|&described| described == wanted);
            self.last = known.unwrap_or(self.described.len());
            if known.is_none() {
                blocks::interface(&mut self.gathered, name, link, self.snaplen);
                self.described.push(wanted);
            }
        }
        self.last as u32
    }
}

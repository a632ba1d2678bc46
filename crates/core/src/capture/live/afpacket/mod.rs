//! A `TPACKET_V3` ring: frames of one interface, read where the kernel put them.
//!
//! The kernel fills blocks and hands them over whole. A block stays ours from the moment its
//! status says so until [`Ring::release`]; only in between is its memory touched, and spans of
//! an earlier block are refused, so that no slice can outlive its block.
#![allow(unsafe_code)]

mod frame;
mod helper;
pub(crate) mod socket;

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) use frame::Framing;
pub(crate) use socket::PacketSocket;

use super::opener::Opener;
use super::tap::{Frame, HOLD_MS};
use crate::capture::filter::bpf::Instruction;
use crate::packet::Nanos;

/// The smallest block: a frame of 64 KiB, as segmentation offload makes them, fits whole.
const MIN_BLOCK: u32 = 128 << 10;
/// The largest block; a frame of up to 512 KiB (BIG TCP) fits whole.
const MAX_BLOCK: u32 = 1 << 20;
/// Fewer than two blocks would leave the kernel none while we read one.
const MIN_BLOCKS: u32 = 2;
/// Blocks a ring should have before its blocks grow.
const GOOD_BLOCKS: usize = 8;
/// Room in front of each frame for a VLAN tag that the kernel took out.
const HEADROOM: c_int = 4;

/// How one ring's memory is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) block_size: u32,
    pub(crate) blocks: u32,
}

impl Geometry {
    /// The least memory a ring can have, in bytes.
    pub(crate) const MIN_BYTES: usize = (MIN_BLOCK * MIN_BLOCKS) as usize;

    /// An equal share of `budget` bytes for each of `rings`: blocks as large as leaves eight
    /// of them, between 128 KiB and 1 MiB; never less than two blocks, even past the budget.
    pub(crate) fn share(budget: usize, rings: usize) -> Self {
        let share = (budget / rings.max(1)).max(Self::MIN_BYTES);
        let mut block_size = MIN_BLOCK;
        while block_size < MAX_BLOCK && share / (block_size as usize * 2) >= GOOD_BLOCKS {
            block_size *= 2;
        }
        let blocks = (share / block_size as usize).min((u32::MAX / block_size) as usize) as u32;
        Self { block_size, blocks: blocks.max(MIN_BLOCKS) }
    }

    /// Half the memory, or `None` when it is the least already.
    fn halved(self) -> Option<Self> {
        (self.blocks / 2 >= MIN_BLOCKS).then_some(Self { blocks: self.blocks / 2, ..self })
    }
}

/// What a ring is opened with.
pub(crate) struct RingConfig<'a> {
    pub(crate) index: u32,
    pub(crate) framing: Framing,
    pub(crate) loopback: bool,
    pub(crate) promiscuous: bool,
    pub(crate) geometry: Geometry,
    pub(crate) program: Option<&'a [Instruction]>,
    pub(crate) opener: &'a Opener,
}

/// Where a frame lies; good until its block is released.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    generation: u64,
    start: u32,
    len: u32,
}

/// The frames of one interface.
pub(crate) struct Ring {
    socket: PacketSocket,
    map: Mapping,
    framing: Framing,
    skip_outgoing: bool,
    /// The block being read, or to be read next.
    block: u32,
    /// Whether that block is ours.
    held: bool,
    /// Packets of it not yet taken, where the next one lies, and when it was seen.
    left: u32,
    at: u32,
    next_ts: Nanos,
    generation: u64,
}

impl Ring {
    /// Opens and binds a ring. A kernel short of memory gives a smaller one.
    pub(crate) fn open(config: &RingConfig<'_>) -> io::Result<Self> {
        let socket = PacketSocket::new(config.framing.socket_kind(), config.opener)?;
        socket.set(libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int))?;
        socket.set(libc::PACKET_RESERVE, &HEADROOM)?;
        if let Some(program) = config.program {
            socket.attach(program)?;
        }
        if config.loopback {
            // Since Linux 4.20; older ones have theirs skipped one by one.
            let _ = socket.set(libc::PACKET_IGNORE_OUTGOING, &1_i32);
        }
        let geometry = make_ring(&socket, config.geometry)?;
        let map = Mapping::new(&socket, geometry)?;
        if config.promiscuous {
            socket.set(libc::PACKET_ADD_MEMBERSHIP, &socket::promiscuous(config.index))?;
        }
        socket.bind(config.index)?;
        Ok(Self::from_parts(socket, map, config))
    }

    fn from_parts(socket: PacketSocket, map: Mapping, config: &RingConfig<'_>) -> Self {
        Self {
            socket,
            map,
            framing: config.framing,
            skip_outgoing: config.loopback,
            block: 0,
            held: false,
            left: 0,
            at: 0,
            next_ts: 0,
            generation: 0,
        }
    }

    /// The socket, to wait on and to ask for its state.
    pub(crate) fn socket(&self) -> &PacketSocket {
        &self.socket
    }

    /// When the next frame was seen; `None` when none is there. Never leaves the block in
    /// hand, whose frames may be in use: see [`Ring::release`].
    pub(crate) fn next_ts(&mut self) -> Option<Nanos> {
        if !self.held && self.map.is_ours(self.block) {
            self.held = true;
            self.start_block();
        }
        (self.held && self.left > 0).then_some(self.next_ts)
    }

    /// Takes the next frame; `None` when there is none or it is one to skip.
    pub(crate) fn take(&mut self) -> Option<Frame<Span>> {
        self.next_ts()?;
        let (at, ts, generation) = (self.at, self.next_ts, self.generation);
        let block = self.map.block_mut(self.block);
        let parsed = frame::parse(block, at, self.framing, self.skip_outgoing);
        self.left -= 1;
        if self.left > 0 {
            self.move_to(at.saturating_add(frame::next_offset(self.map.block(self.block), at)));
        }
        let (start, len, wire_len) = parsed?;
        Some(Frame { ts, wire_len, span: Span { generation, start, len } })
    }

    /// The bytes of a frame of the block in hand; empty for one that was released.
    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        if !self.held || span.generation != self.generation {
            return &[];
        }
        let (start, len) = (span.start as usize, span.len as usize);
        self.map.block(self.block).get(start..start + len).unwrap_or_default()
    }

    /// Gives the block in hand back to the kernel if all its frames were taken. Call when
    /// nothing of it is in use any more.
    pub(crate) fn release(&mut self) {
        if self.held && self.left == 0 {
            self.held = false;
            self.generation += 1;
            self.map.give_back(self.block);
            self.block = (self.block + 1) % self.map.geometry.blocks;
        }
    }

    fn start_block(&mut self) {
        let (count, first) = frame::block_header(self.map.block(self.block));
        self.left = count;
        self.move_to(first);
    }

    /// Moves to the frame at `at`; one that lies outside of its block ends the block.
    fn move_to(&mut self, at: u32) {
        match frame::timestamp(self.map.block(self.block), at) {
            Some(ts) => (self.at, self.next_ts) = (at, ts),
            None => self.left = 0,
        }
    }
}

fn make_ring(socket: &PacketSocket, mut geometry: Geometry) -> io::Result<Geometry> {
    loop {
        let request = socket::ring_request(geometry.block_size, geometry.blocks, HOLD_MS);
        match socket.set(libc::PACKET_RX_RING, &request) {
            Ok(()) => return Ok(geometry),
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {
                geometry = geometry.halved().ok_or(error)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The ring's memory, shared with the kernel block by block.
struct Mapping {
    base: NonNull<u8>,
    len: usize,
    geometry: Geometry,
}

// SAFETY: the mapping belongs to this value alone; which thread reads it makes no difference.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(socket: &PacketSocket, geometry: Geometry) -> io::Result<Self> {
        let len = geometry.block_size as usize * geometry.blocks as usize;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice; it aliases no Rust memory.
        let base = unsafe {
            libc::mmap(std::ptr::null_mut(), len, prot, libc::MAP_SHARED, socket.raw(), 0)
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len, geometry })
    }

    /// Pointer to a block. `Ring` only asks for blocks below `geometry.blocks`; the remainder
    /// keeps any other number inside the mapping too.
    fn pointer(&self, block: u32) -> NonNull<u8> {
        let offset = (block % self.geometry.blocks) as usize * self.geometry.block_size as usize;
        // SAFETY: `offset` is below `len`, which the mapping has.
        unsafe { self.base.add(offset) }
    }

    fn status(&self, block: u32) -> &AtomicU32 {
        let offset = std::mem::offset_of!(libc::tpacket_block_desc, hdr)
            + std::mem::offset_of!(libc::tpacket_hdr_v1, block_status);
        // SAFETY: the status is an aligned u32 at the head of every block (blocks are page
        // aligned), it lives as long as the mapping, and both sides access it atomically.
        unsafe { AtomicU32::from_ptr(self.pointer(block).as_ptr().add(offset).cast()) }
    }

    fn is_ours(&self, block: u32) -> bool {
        // Acquire: what the kernel wrote before it set the status is seen after this.
        self.status(block).load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    fn give_back(&mut self, block: u32) {
        // Release: our reads and writes of the block end before the kernel may fill it.
        self.status(block).store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }

    /// A block's bytes; empty while it is the kernel's.
    fn block(&self, block: u32) -> &[u8] {
        if !self.is_ours(block) {
            return &[];
        }
        // SAFETY: the block is ours, so the kernel does not write it; it is given back only
        // through `&mut self`, which this borrow forbids.
        unsafe {
            std::slice::from_raw_parts(
                self.pointer(block).as_ptr(),
                self.geometry.block_size as usize,
            )
        }
    }

    /// The same to write; empty while it is the kernel's.
    fn block_mut(&mut self, block: u32) -> &mut [u8] {
        if !self.is_ours(block) {
            return &mut [];
        }
        // SAFETY: as in `block`, and `&mut self` makes this the only slice.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.pointer(block).as_ptr(),
                self.geometry.block_size as usize,
            )
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are those of the mapping made in `new`; no slice of it is
        // left, since slices borrow `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast::<c_void>(), self.len) };
    }
}

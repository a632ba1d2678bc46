//! The ring that BPF programs write to: one for all CPUs, in order of writing.
#![allow(unsafe_code, clippy::cast_ptr_alignment, reason = "the kernel aligns what it shares")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Flags in a record's length: still being written, to be skipped.
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
/// A record's header: its length, and a word of the kernel's.
const HEADER: u64 = 8;

/// A mapped ring.
pub(crate) struct BpfRing {
    fd: OwnedFd,
    /// The reader's position, in a page of its own.
    reader: Mapped,
    /// The writer's position in a page, then the data twice over, so that no record is torn.
    writer: Mapped,
    page: usize,
    bytes: u64,
}

impl BpfRing {
    /// Maps the ring, which was made with this many bytes, a power of two.
    pub(crate) fn map(fd: OwnedFd, bytes: u32) -> io::Result<Self> {
        // SAFETY: takes and returns integers only.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let reader = Mapped::new(&fd, libc::PROT_READ | libc::PROT_WRITE, page, 0)?;
        let writer = Mapped::new(&fd, libc::PROT_READ, page + 2 * bytes as usize, page)?;
        Ok(Self { fd, reader, writer, page, bytes: u64::from(bytes) })
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Gives every finished record and frees its room.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&[u8])) {
        let mut at = self.reader.counter().load(Ordering::Relaxed);
        let end = self.writer.counter().load(Ordering::Acquire);
        while at < end {
            let start = self.page + (at % self.bytes) as usize;
            // SAFETY: `start` lies in the first copy of the data, which is mapped; records begin
            // at multiples of eight, and the kernel changes the length as a whole.
            let length = unsafe { &*self.writer.base.as_ptr().add(start).cast::<AtomicU32>() };
            let length = length.load(Ordering::Acquire);
            if length & BUSY != 0 {
                break;
            }
            let size = u64::from(length & !DISCARDED);
            if at + HEADER + size > end {
                // Not what the kernel writes: nothing behind it can be trusted.
                at = end;
                break;
            }
            if length & DISCARDED == 0 {
                // SAFETY: the record lies between reader and writer, at most `bytes` long, hence
                // within the two copies of the data; it is finished, and stays until `reader` moves.
                let record = unsafe {
                    let data = self.writer.base.as_ptr().add(start + HEADER as usize);
                    std::slice::from_raw_parts(data, size as usize)
                };
                each(record);
            }
            at += (HEADER + size).next_multiple_of(8);
            self.reader.counter().store(at, Ordering::Release);
        }
        self.reader.counter().store(at, Ordering::Release);
    }
}

/// Memory shared with the kernel.
struct Mapped {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to its ring alone and is reached only through `&mut BpfRing`.
unsafe impl Send for Mapped {}

impl Mapped {
    fn new(fd: &OwnedFd, protection: i32, len: usize, offset: usize) -> io::Result<Self> {
        let (null, fd, offset) = (ptr::null_mut(), fd.as_raw_fd(), offset as libc::off_t);
        // SAFETY: a new mapping at an address the kernel chooses; nothing else is touched.
        let base = unsafe { libc::mmap(null, len, protection, libc::MAP_SHARED, fd, offset) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { base: NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?, len })
    }

    /// The position at its beginning.
    fn counter(&self) -> &AtomicU64 {
        // SAFETY: at least a page is mapped as long as `self`, and begins with an aligned 64-bit
        // integer that both sides change as a whole.
        unsafe { &*self.base.as_ptr().cast::<AtomicU64>() }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: exactly what `new` mapped, and nothing borrows from it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

//! The memory a CPU writes its events to, shared with the kernel.
#![allow(unsafe_code, clippy::cast_ptr_alignment, reason = "the kernel aligns what it shares")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::process::event::{slice_at, u16_at, u32_at};

/// Where `data_head` and `data_tail` lie in the first page (`struct perf_event_mmap_page`).
const HEAD: usize = 1024;
const TAIL: usize = 1032;
/// A record's header: type, misc, size.
const HEADER: usize = 8;

/// A mapped ring; the descriptor of its first event keeps it alive.
pub(crate) struct Ring {
    fd: OwnedFd,
    base: NonNull<u8>,
    page: usize,
    bytes: usize,
    record: Vec<u8>,
}

// SAFETY: the mapping belongs to this value alone and is reached only through `&mut self`; the
// kernel does not care which thread reads it.
unsafe impl Send for Ring {}

impl Ring {
    /// Maps `pages` (a power of two) of data after the page of control.
    pub(crate) fn map(fd: OwnedFd, pages: usize) -> io::Result<Self> {
        // SAFETY: takes and returns integers only.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let bytes = pages * page;
        let (prot, shared) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a new mapping at an address the kernel chooses; nothing else is touched.
        let base =
            unsafe { libc::mmap(ptr::null_mut(), page + bytes, prot, shared, fd.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { fd, base, page, bytes, record: Vec::new() })
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Gives every record that is there (type, body) and frees its room.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(u32, &[u8])) {
        let mut tail = self.counter(TAIL).load(Ordering::Relaxed);
        let head = self.counter(HEAD).load(Ordering::Acquire);
        while tail < head {
            self.copy(tail, HEADER);
            let kind = u32_at(&self.record, 0).unwrap_or(0);
            let size = usize::from(u16_at(&self.record, 6).unwrap_or(0));
            if size < HEADER || size as u64 > head - tail {
                // Not what the kernel writes: nothing behind it can be trusted.
                tail = head;
                break;
            }
            self.copy(tail, size);
            each(kind, slice_at(&self.record, HEADER, size - HEADER).unwrap_or(&[]));
            tail += size as u64;
            self.counter(TAIL).store(tail, Ordering::Release);
        }
        self.counter(TAIL).store(tail, Ordering::Release);
    }

    /// Copies `len` bytes at `from`, which counts on beyond the end, into `record`.
    fn copy(&mut self, from: u64, len: usize) {
        let start = (from % self.bytes as u64) as usize;
        let first = len.min(self.bytes - start);
        self.record.resize(len, 0);
        let to = self.record.as_mut_ptr();
        // SAFETY: `start + first` and `len - first` lie within the data part of the mapping, which
        // is `page + bytes` long, and `record` has room for `len`; the kernel does not write
        // between tail and head.
        unsafe {
            let data = self.base.as_ptr().add(self.page);
            ptr::copy_nonoverlapping(data.add(start), to, first);
            ptr::copy_nonoverlapping(data, to.add(first), len - first);
        }
    }

    fn counter(&self, at: usize) -> &AtomicU64 {
        // SAFETY: the first page is mapped as long as `self`, and at `HEAD` and `TAIL` holds two
        // aligned 64-bit integers that kernel and reader change as a whole.
        unsafe { &*self.base.as_ptr().add(at).cast::<AtomicU64>() }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped, and nothing borrows from it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.page + self.bytes) };
    }
}

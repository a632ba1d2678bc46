//! The heap: what batches of rows leave goes back to the system.
#![allow(unsafe_code)]

/// Bytes from which a buffer gets pages of its own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 256 << 10;

/// Keeps the C library from raising the size from which buffers get pages of their own (`mallopt(3)`): batches of rows
/// would lie among connections otherwise, and leave holes that cost more than the connections.
pub(in crate::relay) fn settle() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes two numbers, and locks what it changes.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Gives pages that nobody uses back to the system (`malloc_trim(3)`); takes about a millisecond.
pub(in crate::relay) fn tidy() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes a number, and locks what it changes.
    unsafe {
        libc::malloc_trim(0);
    }
}

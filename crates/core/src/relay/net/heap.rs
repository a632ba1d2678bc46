//! The heap: what large buffers leave goes back to the system.
#![allow(unsafe_code)]

/// Bytes from which a buffer gets pages of its own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 256 << 10;

/// Keeps the C library from raising the size from which buffers get pages of their own (mallopt(3)): batches of rows
/// would lie among connections otherwise, and leave holes that cost more than the connections.
pub(in crate::relay) fn settle() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes two numbers, and locks what it changes.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

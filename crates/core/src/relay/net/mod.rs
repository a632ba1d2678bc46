//! Where the relay meets the kernel: sockets and their options, pipes, limits of the process.

pub(super) mod files;
pub(super) mod heap;
pub(super) mod kernel;
pub(super) mod pipe;
pub(super) mod socket;

//! Bytes from socket to socket without coming by here: `splice(2)` through a pipe.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

type Result<T> = std::result::Result<T, Errno>;

/// Bytes a pipe is asked to hold.
#[cfg(target_os = "linux")]
const ROOM: usize = 1 << 20;

/// A pipe and how many bytes are in it.
pub(in crate::relay) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
    /// Bytes that it can hold.
    room: usize,
    held: usize,
}

#[cfg(target_os = "linux")]
impl Pipe {
    /// An empty one. Fails where no more files may be opened.
    pub(in crate::relay) fn open() -> Result<Self> {
        use rustix::pipe::{PipeFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Refused where the user's pipes hold too much already: then it stays as small as it is.
        let room = fcntl_setpipe_size(&writer, ROOM).or_else(|_| fcntl_getpipe_size(&writer))?;
        Ok(Self { reader, writer, room, held: 0 })
    }

    /// Takes at most `most` bytes out of a socket; 0 at its end.
    pub(in crate::relay) fn fill(&mut self, from: &OwnedFd, most: usize) -> Result<usize> {
        use rustix::pipe::{SpliceFlags, splice};
        let most = most.min(self.room.saturating_sub(self.held));
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let taken = splice(from, None, &self.writer, None, most, flags)?;
        self.held += taken;
        Ok(taken)
    }

    /// Gives what it holds to a socket, as far as that takes it.
    pub(in crate::relay) fn drain(&mut self, to: &OwnedFd) -> Result<usize> {
        use rustix::pipe::{SpliceFlags, splice};
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let given = splice(&self.reader, None, to, None, self.held, flags)?;
        self.held = self.held.saturating_sub(given);
        Ok(given)
    }
}

#[cfg(not(target_os = "linux"))]
impl Pipe {
    pub(in crate::relay) fn open() -> Result<Self> {
        Err(Errno::NOSYS)
    }

    pub(in crate::relay) fn fill(&mut self, _: &OwnedFd, _: usize) -> Result<usize> {
        Err(Errno::NOSYS)
    }

    pub(in crate::relay) fn drain(&mut self, _: &OwnedFd) -> Result<usize> {
        Err(Errno::NOSYS)
    }
}

impl Pipe {
    /// Bytes in it.
    pub(in crate::relay) fn held(&self) -> usize {
        self.held
    }
}

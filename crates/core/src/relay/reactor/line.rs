//! What waits in one direction of a connection; where nothing waits, next to nothing is kept.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::super::net::pipe::Pipe;
use super::super::net::socket;

/// One direction.
#[derive(Default)]
pub(in crate::relay) struct Line {
    waiting: Option<Box<Waiting>>,
    /// Bytes that events have kept.
    pub(super) kept: usize,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Those before it were passed on.
    at: usize,
    /// Bytes that wait in the kernel, behind the others.
    pipe: Option<Pipe>,
    /// Bytes of the memory budget.
    reserved: usize,
}

impl Line {
    /// What waits here, that in the kernel left out.
    pub(super) fn bytes(&self) -> &[u8] {
        self.waiting
            .as_ref()
            .and_then(|waiting| waiting.bytes.get(waiting.at..))
            .unwrap_or_default()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.waiting.get_or_insert_default().bytes.extend_from_slice(bytes);
        }
    }

    /// Puts bytes before all others.
    pub(super) fn push_front(&mut self, bytes: &[u8]) {
        let all = [bytes, self.bytes()].concat();
        let waiting = self.waiting.get_or_insert_default();
        waiting.bytes = all;
        waiting.at = 0;
    }

    /// So many were passed on, or taken out.
    pub(super) fn pass(&mut self, bytes: usize) {
        if let Some(waiting) = &mut self.waiting {
            waiting.at += bytes;
            if waiting.at >= waiting.bytes.len() {
                waiting.bytes = Vec::new();
                waiting.at = 0;
            }
        }
    }

    /// Lets a pipe with bytes in it wait.
    pub(super) fn set_pipe(&mut self, pipe: Pipe) {
        self.waiting.get_or_insert_default().pipe = Some(pipe);
    }

    /// Bytes that wait, those in the kernel included.
    pub(super) fn held(&self) -> usize {
        let pipe = self.waiting.as_ref().and_then(|waiting| waiting.pipe.as_ref());
        self.bytes().len() + pipe.map_or(0, Pipe::held)
    }

    /// Writes once: how many bytes were taken, and whether more may be.
    pub(super) fn write(&mut self, to: &OwnedFd) -> Result<(usize, bool), Errno> {
        let bytes = self.bytes();
        if bytes.is_empty() {
            let pipe = self.waiting.as_mut().and_then(|waiting| waiting.pipe.as_mut());
            let drained = pipe.map_or(Ok(0), |pipe| pipe.drain(to))?;
            return Ok((drained, drained > 0));
        }
        let written = socket::write(to, bytes)?;
        let all = written == bytes.len();
        self.pass(written);
        Ok((written, all))
    }

    /// So many bytes more of the memory budget are taken up.
    pub(super) fn reserve(&mut self, bytes: usize) {
        if bytes > 0 {
            self.waiting.get_or_insert_default().reserved += bytes;
        }
    }

    /// So many went: how many of the budget are to be given back.
    pub(super) fn free(&mut self, bytes: usize) -> usize {
        let Some(waiting) = &mut self.waiting else {
            return 0;
        };
        let freed = bytes.min(waiting.reserved);
        waiting.reserved -= freed;
        freed
    }

    /// Nothing waits any more: what of the budget is to be given back, and the pipe there was.
    pub(super) fn release(&mut self) -> (usize, Option<Pipe>) {
        self.waiting.take().map_or((0, None), |waiting| (waiting.reserved, waiting.pipe))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_waits_comes_out_in_order() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let near = OwnedFd::from(near);
        let mut line = Line::default();
        line.push(b"world");
        line.push_front(b"hello ");
        line.reserve(11);
        assert_eq!(line.held(), 11);
        assert_eq!(line.write(&near), Ok((11, true)));
        assert_eq!((line.held(), line.free(4)), (0, 4));
        assert_eq!(line.release().0, 7);
        let mut got = [0; 11];
        far.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"hello world");
        assert_eq!(line.write(&near), Ok((0, false)));
    }

    #[test]
    fn where_nothing_waits_nothing_is_kept() {
        let mut line = Line::default();
        line.push(b"");
        line.reserve(0);
        assert!(line.waiting.is_none() && line.free(10) == 0 && line.release().0 == 0);
        assert!(size_of::<Line>() <= 16);
    }
}

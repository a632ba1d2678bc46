//! A named pipe: opening one waits for its writer, in a thread of its own, so that nobody else does.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How long one read waits for the writer.
const PATIENCE: Duration = Duration::from_millis(50);

/// A pipe that is open, or will be.
pub(super) enum Pipe {
    Waiting(Receiver<io::Result<File>>),
    Open(File),
}

impl Pipe {
    /// Begins to open it. A thread that waits in vain ends with the process.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let path = path.to_owned();
        let open = move || drop(sender.send(File::open(path)));
        thread::Builder::new().name("pipe".to_owned()).spawn(open)?;
        Ok(Self::Waiting(receiver))
    }
}

impl Read for Pipe {
    /// [`io::ErrorKind::Interrupted`] while there is no writer yet.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::Waiting(opened) = self {
            let file = opened.recv_timeout(PATIENCE).map_err(|error| match error {
                RecvTimeoutError::Timeout => io::ErrorKind::Interrupted,
                RecvTimeoutError::Disconnected => io::ErrorKind::BrokenPipe,
            })?;
            *self = Self::Open(file?);
        }
        match self {
            Self::Open(file) => file.read(buffer),
            Self::Waiting(_) => Err(io::ErrorKind::Interrupted.into()),
        }
    }
}

//! The process connector: forks, execs and exits where tracing is not permitted. It speaks in
//! the first network namespace only, and says no file names.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::{DONE, Netlink};
use crate::capture::live::Wakeup;
use crate::process::event::{Event, What, slice_at, u32_at, u64_at};
use crate::process::linux::procfs::monotonic;

const NETLINK_CONNECTOR: i32 = 11;
/// Group and number of the process events.
const CN_IDX_PROC: u32 = 1;
const LISTEN: u32 = 1;
/// Length of `struct cn_msg`, and where the event's own fields begin behind it.
const MESSAGE: usize = 20;
const FIELDS: usize = 16;
const FORK: u32 = 1;
const EXEC: u32 = 2;
const EXIT: u32 = 0x8000_0000;
/// How long the kernel may take to say whether it will tell; it does so within the call.
const PATIENCE: Duration = Duration::from_millis(50);

/// A connector that tells.
pub(crate) struct Connector(Netlink);

impl Connector {
    pub(crate) fn open() -> io::Result<Self> {
        let socket = Netlink::open(NETLINK_CONNECTOR, CN_IDX_PROC)?;
        socket.room(4 << 20);
        let mut body = Vec::new();
        for word in [CN_IDX_PROC, 1, 0, 0, 4, LISTEN] {
            body.extend(word.to_ne_bytes());
        }
        socket.send(DONE, 0, &body)?;
        let mut connector = Self(socket);
        connector.confirm()?;
        Ok(connector)
    }

    /// The kernel says whether it will tell; from other namespaces it says nothing.
    fn confirm(&mut self) -> io::Result<()> {
        let (_waker, wakeup) = Wakeup::new()?;
        wakeup.wait(&[Some(self.raw())], PATIENCE)?;
        let (mut heard, mut code) = (false, 0);
        self.0.receive(false, |_, body| {
            heard = true;
            // The answer is an event of its own, number 0, with an error code.
            if u32_at(body, MESSAGE) == Some(0) {
                code = u32_at(body, MESSAGE + FIELDS).unwrap_or(0);
            }
        })?;
        match (heard, code) {
            (false, _) => Err(io::Error::other(
                "the process connector is silent here (another network namespace)",
            )),
            (true, 0) => Ok(()),
            (true, code) => Err(io::Error::from_raw_os_error(code as i32)),
        }
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.0.raw()
    }

    /// Adds what was told to `events`.
    pub(crate) fn drain(&mut self, events: &mut Vec<Event>) {
        loop {
            match self.0.receive(false, |_, body| events.extend(read(body))) {
                Ok(true) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    events.push(Event { at: monotonic(), what: What::Lost(1) });
                }
                _ => return,
            }
        }
    }
}

/// One message.
fn read(body: &[u8]) -> Option<Event> {
    let (what, at) = (u32_at(body, MESSAGE)?, u64_at(body, MESSAGE + 8)?);
    let fields = slice_at(body, MESSAGE + FIELDS, 8)?;
    let (pid, process) = (u32_at(fields, 0)?, u32_at(fields, 4)?);
    let what = match what {
        FORK => {
            let child = slice_at(body, MESSAGE + FIELDS + 8, 8)?;
            let (thread, child) = (u32_at(child, 0)?, u32_at(child, 4)?);
            (thread == child).then_some(What::Fork { parent: process, child })?
        }
        EXEC => What::Exec { pid: process, file: Vec::new() },
        EXIT => (pid == process).then_some(What::Exit { pid })?,
        _ => return None,
    };
    Some(Event { at, what })
}

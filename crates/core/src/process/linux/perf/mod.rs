//! Kernel events through `perf_event_open`: a ring per CPU, and on it the tracepoints we want
//! and the notes the kernel makes of every process (fork, exit, namespaces).

mod attr;
mod format;
mod read;
mod ring;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use attr::{Attr, open};
use format::{Format, tracefs};
use read::Layouts;
use ring::Ring;

use crate::process::event::Event;

/// Where the ring of a CPU begins to matter: forks and execs of a busy machine for about a second.
const RING_PAGES: usize = 128;

/// Which events are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Programs, and datagrams on their way.
    Datagrams,
    /// Programs and what sockets do.
    Sockets,
}

/// Open rings.
pub(crate) struct Perf {
    rings: Vec<Ring>,
    /// Their descriptors keep the events going.
    events: Vec<OwnedFd>,
    layouts: Layouts,
}

impl Perf {
    /// Opens everything; nothing is told before [`Perf::enable`].
    pub(crate) fn open(wanted: Wanted) -> io::Result<Self> {
        let root = tracefs()?;
        let mut formats = vec![(Format::read(&root, "sched/sched_process_exec")?, None)];
        if wanted == Wanted::Sockets {
            formats.push((Format::read(&root, "sock/inet_sock_set_state")?, Some("protocol == 6")));
        }
        // Who sends or connects asks for a route, in its program's context.
        for name in ["fib/fib_table_lookup", "fib6/fib6_table_lookup"] {
            if let Ok(format) = Format::read(&root, name) {
                formats.push((format, Some("proto == 17 && sport != 0")));
            }
        }
        let (mut rings, mut events) = (Vec::new(), Vec::new());
        for cpu in online_cpus()? {
            let leader = open(&Attr::notes(), cpu)?;
            let ring = Ring::map(leader, RING_PAGES)?;
            for (format, filter) in &formats {
                let event = open(&Attr::tracepoint(u64::from(format.id)), cpu)?;
                attr::share(&event, ring.raw())?;
                if let Some(filter) = filter {
                    attr::filter(&event, filter)?;
                }
                events.push(event);
            }
            rings.push(ring);
        }
        let layouts = Layouts::new(formats.into_iter().map(|(format, _)| format).collect())?;
        Ok(Self { rings, events, layouts })
    }

    /// Starts the events.
    pub(crate) fn enable(&self) -> io::Result<()> {
        let rings = self.rings.iter().map(Ring::raw);
        let events = self.events.iter().map(AsRawFd::as_raw_fd);
        rings.chain(events).try_for_each(attr::enable)
    }

    /// What to wait on.
    pub(crate) fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.rings.iter().map(Ring::raw)
    }

    /// Adds everything that lies in the rings to `events`, in order only within each CPU.
    pub(crate) fn drain(&mut self, events: &mut Vec<Event>) {
        for ring in &mut self.rings {
            ring.drain(|kind, body| self.layouts.read(kind, body, events));
        }
    }
}

/// The CPUs that run.
fn online_cpus() -> io::Result<Vec<i32>> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/online")?;
    let mut cpus = Vec::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.parse::<i32>().map_err(io::Error::other);
        cpus.extend(number(first)?..=number(last)?);
    }
    Ok(cpus)
}

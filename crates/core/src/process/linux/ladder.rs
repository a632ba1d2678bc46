//! The ladder: the best method that works here, and why better ones do not.

use std::io;
use std::os::fd::RawFd;

use super::bpf::Bpf;
use super::netlink::connector::Connector;
use super::perf::{Perf, Wanted};
use super::procfs;
use crate::error::{Error, words};
use crate::process::event::Event;
use crate::process::record::Method;

/// All rungs, best first.
const RUNGS: [Method; 5] =
    [Method::Bpf, Method::Tracepoint, Method::Connector, Method::SockDiag, Method::Scan];

/// What was chosen.
pub(crate) struct Chosen {
    pub(crate) method: Method,
    pub(crate) hearing: Hearing,
    /// Better methods that do not work here, and what the system said.
    pub(crate) refused: Vec<(&'static str, String)>,
}

/// Where events come from.
pub(crate) enum Hearing {
    Bpf(Bpf, Perf),
    Perf(Perf),
    Connector(Connector),
    /// Nothing is told: it has to be asked.
    Silence,
}

/// Takes the best of the named methods (of all, if none is named) that works.
pub(crate) fn choose(names: Option<&[String]>) -> Result<Chosen, Error> {
    if let Some(unknown) = names.and_then(|names| names.iter().find(|name| !is_known(name))) {
        return Err(Error::Usage(format!("no method of finding programs is called {unknown}")));
    }
    let allowed =
        |method: &Method| names.is_none_or(|names| names.iter().any(|n| n == method.name()));
    let mut refused = Vec::new();
    for method in RUNGS.into_iter().filter(allowed) {
        match Hearing::open(method) {
            Ok(hearing) => return Ok(Chosen { method, hearing, refused }),
            Err(error) => refused.push((method.name(), words(&error))),
        }
    }
    let said: Vec<_> = refused.iter().map(|(name, said)| format!("{name}: {said}")).collect();
    Err(Error::Usage(format!("programs cannot be found here: {}", said.join("; "))))
}

fn is_known(name: &str) -> bool {
    RUNGS.iter().any(|method| method.name() == name)
}

impl Hearing {
    fn open(method: Method) -> io::Result<Self> {
        match method {
            Method::Bpf => {
                procfs::in_first_pid_namespace()?;
                let perf = Perf::open(Wanted::Datagrams)?;
                let bpf = Bpf::open()?;
                perf.enable()?;
                Ok(Self::Bpf(bpf, perf))
            }
            Method::Tracepoint => {
                let perf = Perf::open(Wanted::Sockets)?;
                perf.enable()?;
                Ok(Self::Perf(perf))
            }
            Method::Connector => {
                procfs::in_first_pid_namespace()?;
                Ok(Self::Connector(Connector::open()?))
            }
            Method::SockDiag => {
                super::netlink::diag::Diag::open()?;
                Ok(Self::Silence)
            }
            Method::Scan => Ok(Self::Silence),
        }
    }

    /// What to wait on.
    pub(crate) fn fds(&self) -> Vec<RawFd> {
        match self {
            Self::Bpf(bpf, perf) => perf.fds().chain([bpf.raw()]).collect(),
            Self::Perf(perf) => perf.fds().collect(),
            Self::Connector(connector) => vec![connector.raw()],
            Self::Silence => Vec::new(),
        }
    }

    /// Adds everything that was told to `events`; `suspended` is what the monotonic clock lacks.
    pub(crate) fn drain(&mut self, events: &mut Vec<Event>, suspended: u64) {
        let before = events.len();
        match self {
            Self::Bpf(bpf, perf) => {
                bpf.drain(events);
                perf.drain(events);
            }
            Self::Perf(perf) => perf.drain(events),
            Self::Connector(connector) => connector.drain(events),
            Self::Silence => {}
        }
        events.iter_mut().skip(before).for_each(|event| event.at += suspended);
    }
}

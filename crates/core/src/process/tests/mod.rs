//! Programs and sockets on made-up events, and on the real kernel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod ends;
mod programs;
#[cfg(target_os = "linux")]
mod real;
mod trace;

use std::collections::HashMap;

use super::programs::{Facts, Reader};

/// A /proc that says what it is told to say.
#[derive(Default)]
pub(crate) struct Paper {
    pub(crate) facts: HashMap<u32, Facts>,
    pub(crate) denied: Vec<u32>,
}

impl Paper {
    /// A process that can be read: its start, parent and name; it runs /bin/NAME.
    pub(crate) fn with(mut self, pid: u32, started: u64, parent: u32, comm: &str) -> Self {
        self.write(pid, started, parent, comm);
        self
    }

    pub(crate) fn write(&mut self, pid: u32, started: u64, parent: u32, comm: &str) {
        let facts = Facts {
            started,
            parent,
            comm: comm.to_owned(),
            path: Some(format!("/bin/{comm}")),
            cmdline: Some(format!("{comm} -x")),
            uid: Some(1000),
            net: Some(1),
            read: started,
            ..Facts::default()
        };
        self.facts.insert(pid, facts);
    }
}

impl Reader for Paper {
    fn read(&mut self, pid: u32) -> Result<Facts, bool> {
        self.facts.get(&pid).cloned().ok_or(self.denied.contains(&pid))
    }
}

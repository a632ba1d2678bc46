//! Which interfaces a live capture watches: at its start, and of those that there are later.

use std::collections::HashSet;

use super::config::LiveConfig;
use super::tap::of_interface;
use crate::capture::interfaces::InterfaceInfo;
use crate::error::Error;

/// Interfaces watched at once.
pub(super) const MAX_TAPS: usize = 64;

/// What a configuration means.
#[derive(Clone, Debug)]
pub(super) enum Meant {
    /// All that are up.
    All,
    /// These, each once.
    Named(Vec<String>),
}

impl Meant {
    /// What `config` means where there are these interfaces. One that is named has to exist at
    /// the start, or its name is likely a mistake.
    pub(super) fn by(config: &LiveConfig, there: &[InterfaceInfo]) -> Result<Self, Error> {
        let wildcard = |name: &String| name == "any" && !is_there("any", there);
        if config.interfaces.iter().all(wildcard) {
            return Ok(Self::All);
        }
        if let Some(name) = config.interfaces.iter().find(|name| !is_there(name, there)) {
            let names: Vec<&str> = there.iter().map(|i| i.name.as_str()).collect();
            let reason = format!("no such interface; there are: {}", names.join(", "));
            return Err(of_interface(name, reason));
        }
        let mut given = HashSet::new();
        let names = config.interfaces.iter().filter(|name| given.insert(name.as_str()));
        let names: Vec<String> = names.cloned().collect();
        if names.len() > MAX_TAPS {
            let reason = format!("at most {MAX_TAPS} interfaces can be watched at once");
            return Err(Error::Usage(reason));
        }
        Ok(Self::Named(names))
    }

    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether the interface is to be watched as it is now.
    pub(super) fn wants(&self, interface: &InterfaceInfo) -> bool {
        match self {
            Self::All => interface.up,
            Self::Named(names) => names.contains(&interface.name),
        }
    }

    /// Those to be watched of those that are there, in the order they were named.
    pub(super) fn choose(&self, there: Vec<InterfaceInfo>) -> Vec<InterfaceInfo> {
        let mut wanted: Vec<InterfaceInfo> = there.into_iter().filter(|i| self.wants(i)).collect();
        if let Self::Named(names) = self {
            wanted.sort_by_key(|i| names.iter().position(|name| *name == i.name));
            wanted.dedup_by(|a, b| a.name == b.name);
        }
        wanted
    }
}

fn is_there(name: &str, there: &[InterfaceInfo]) -> bool {
    there.iter().any(|i| i.name == name)
}

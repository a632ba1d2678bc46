//! Which interfaces a live capture watches.

use std::collections::{HashSet, VecDeque};

use super::config::LiveConfig;
use super::tap::of_interface;
use crate::capture::interfaces::InterfaceInfo;
use crate::error::Error;

impl LiveConfig {
    /// Whether it names no interface: all that are up are meant.
    pub(super) fn means_all(&self, there: &[InterfaceInfo]) -> bool {
        let wildcard = |name: &String| name == "any" && !is_there("any", there);
        self.interfaces.iter().all(wildcard)
    }
}

/// The interfaces that `config` names, each once.
pub(super) fn choose(
    config: &LiveConfig,
    there: Vec<InterfaceInfo>,
) -> Result<Vec<InterfaceInfo>, Error> {
    if config.means_all(&there) {
        return up(there);
    }
    for name in &config.interfaces {
        if !is_there(name, &there) {
            let names: Vec<&str> = there.iter().map(|i| i.name.as_str()).collect();
            let reason = format!("no such interface; there are: {}", names.join(", "));
            return Err(of_interface(name, reason));
        }
    }
    let mut left: VecDeque<InterfaceInfo> = there.into();
    let mut given = HashSet::new();
    let wanted = config.interfaces.iter().filter(|name| given.insert(name.as_str()));
    Ok(wanted
        .filter_map(|name| left.iter().position(|i| i.name == *name).and_then(|at| left.remove(at)))
        .collect())
}

fn is_there(name: &str, there: &[InterfaceInfo]) -> bool {
    there.iter().any(|i| i.name == name)
}

fn up(there: Vec<InterfaceInfo>) -> Result<Vec<InterfaceInfo>, Error> {
    let up: Vec<InterfaceInfo> = there.into_iter().filter(|i| i.up).collect();
    if up.is_empty() {
        let reason = "no network interface is up; name one to wait for it".to_owned();
        return Err(Error::Usage(reason));
    }
    Ok(up)
}

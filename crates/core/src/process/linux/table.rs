//! Who holds a socket now: asked exactly where the kernel answers, else by its text tables.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use super::netlink::diag::{Diag, Listed, nobody};
use super::procfs;
use crate::process::ends::{Ends, TCP, UDP};
use crate::process::record::{Action, Method};
use crate::process::trace::Found;

/// How long a scan of all descriptors or of the text tables is believed to be complete.
const FRESH: Duration = Duration::from_millis(200);
/// Between two scans lies at least this often the time that one took, so that they take a fifth of a core at most.
const REST: u32 = 4;

/// The tables, with what was read of them lately.
pub(crate) struct Sockets {
    diag: Option<Diag>,
    holders: HashMap<u64, Vec<u32>>,
    scanned: Option<Instant>,
    took: Duration,
    listed: (Option<Instant>, Vec<Listed>),
    pub(crate) lookups: u64,
    pub(crate) scans: u64,
}

impl Sockets {
    /// If `exact`, by netlink where that works; else by the text tables.
    pub(crate) fn open(exact: bool) -> Self {
        let diag = exact.then(Diag::open).and_then(Result::ok);
        let (holders, listed) = (HashMap::new(), (None, Vec::new()));
        let took = Duration::ZERO;
        Self { diag, holders, scanned: None, took, listed, lookups: 0, scans: 0 }
    }

    /// All sockets and all who hold them.
    pub(crate) fn all(&mut self) -> Vec<Found> {
        self.scan();
        let listed = match &mut self.diag {
            Some(diag) => diag.all().unwrap_or_default(),
            None => text_tables(),
        };
        let at = procfs::since_boot();
        listed.iter().flat_map(|one| self.held(one, at, Method::Scan)).collect()
    }

    /// Who holds the socket with these ends, or listens for them. Without a remote end only listeners count.
    pub(crate) fn lookup(&mut self, ends: &Ends) -> Vec<Found> {
        self.lookups += 1;
        // A connection that nobody accepted yet is nobody's: then the listener answers.
        let anyone = Ends { remote: nobody(ends.local), remote_port: 0, ..*ends };
        let Some((found, method)) = self.one(ends).or_else(|| self.one(&anyone)) else {
            return Vec::new();
        };
        self.find_holders(found.inode);
        self.held(&found, procfs::since_boot(), method)
    }

    /// The socket of these ends, if it is one that programs can hold.
    fn one(&mut self, ends: &Ends) -> Option<(Listed, Method)> {
        let (found, method) = match &mut self.diag {
            Some(diag) => (diag.exact(ends).unwrap_or(None), Method::SockDiag),
            None => (self.in_text(ends), Method::Scan),
        };
        found.filter(|found| found.inode != 0 && fits(found, ends)).map(|found| (found, method))
    }

    /// Makes sure that the holders of a socket are known: one that forked or let go shows.
    fn find_holders(&mut self, inode: u64) {
        let known = self.holders.get(&inode);
        let valid = known.is_some_and(|pids| pids.iter().all(|&pid| procfs::holds(pid, inode)));
        let age = self.scanned.map(|at| at.elapsed());
        let fresh = age.is_some_and(|age| age < FRESH);
        let allowed = age.is_none_or(|age| age >= self.took * REST);
        if (!valid || !fresh) && allowed {
            self.scan();
        }
    }

    fn scan(&mut self) {
        let start = Instant::now();
        self.holders = procfs::holders();
        self.took = start.elapsed();
        self.scanned = Some(Instant::now());
        self.scans += 1;
    }

    fn held(&self, one: &Listed, at: u64, method: Method) -> Vec<Found> {
        let action = if one.listens { Action::Listen } else { Action::Hold };
        let pids = self.holders.get(&one.inode).map_or(&[][..], Vec::as_slice);
        let found =
            |&pid: &u32| Found { at, action, method, pid, ends: one.ends, cookie: one.cookie };
        pids.iter().map(found).collect()
    }

    fn in_text(&mut self, ends: &Ends) -> Option<Listed> {
        if self.listed.0.is_none_or(|at| at.elapsed() >= FRESH) {
            self.listed = (Some(Instant::now()), text_tables());
        }
        let fitting = self.listed.1.iter().filter(|one| fits(one, ends));
        // A connection's own socket before a listener, an address before any address.
        fitting.max_by_key(|one| (!one.listens, !one.ends.local.is_unspecified())).copied()
    }
}

/// Whether a socket has these ends or listens for them.
fn fits(one: &Listed, ends: &Ends) -> bool {
    let (a, b) = (one.ends, ends);
    let any = a.local.is_unspecified() && (a.both || a.local.is_ipv4() == b.local.is_ipv4());
    let local = a.local_port == b.local_port && (a.local == b.local || any);
    let remote = a.remote == b.remote && a.remote_port == b.remote_port;
    a.proto == b.proto && local && (one.listens || remote)
}

/// `/proc/net/tcp` and its like, of the caller's namespace.
fn text_tables() -> Vec<Listed> {
    let files = [("tcp", TCP), ("tcp6", TCP), ("udp", UDP), ("udp6", UDP)];
    let read = |(name, proto): (&str, u8)| {
        let text = fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
        text.lines().skip(1).filter_map(|line| text_line(proto, line)).collect::<Vec<_>>()
    };
    files.into_iter().flat_map(read).collect()
}

/// `sl local:port remote:port state … inode`, addresses as words of this machine in hexadecimal.
fn text_line(proto: u8, line: &str) -> Option<Listed> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (local, local_port) = text_end(fields.get(1)?)?;
    let (remote, remote_port) = text_end(fields.get(2)?)?;
    let ends = Ends { proto, local, local_port, remote, remote_port, both: local.is_ipv6() };
    let listens = *fields.get(3)? == "0A" || (proto == UDP && remote_port == 0);
    let inode = fields.get(9)?.parse().ok()?;
    Some(Listed { ends: ends.plain(), listens, inode, cookie: 0 })
}

fn text_end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| {
        let digits = address.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address = if address.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?))
    } else {
        let words = [word(0)?, word(1)?, word(2)?, word(3)?];
        IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?))
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_of_the_text_tables_is_a_socket() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1 x";
        let listed = text_line(TCP, line).unwrap();
        assert_eq!(
            (listed.ends.local, listed.ends.local_port),
            ("127.0.0.1".parse().unwrap(), 8080)
        );
        assert!(listed.listens && listed.inode == 4711);
        assert_eq!(text_line(TCP, "0: nonsense"), None);
        assert_eq!(text_line(TCP, "0: 0100:1F90 00000000:0000 0A 0 0 0 0 0 1"), None);
    }

    #[test]
    fn a_listener_takes_any_connection_and_a_connection_only_its_own() {
        let end = |text: &str| text.parse().unwrap();
        let ends = |local: &str, remote: &str, remote_port, both| Ends {
            proto: TCP,
            local: end(local),
            local_port: 80,
            remote: end(remote),
            remote_port,
            both,
        };
        let listed = |ends, listens| Listed { ends, listens, inode: 1, cookie: 0 };
        let row = ends("10.0.0.1", "192.0.2.1", 5, false);
        assert!(fits(&listed(ends("::", "::", 0, true), true), &row));
        assert!(fits(&listed(ends("0.0.0.0", "0.0.0.0", 0, false), true), &row));
        assert!(!fits(&listed(ends("::", "::", 0, false), true), &row));
        assert!(!fits(&listed(ends("10.0.0.2", "0.0.0.0", 0, false), true), &row));
        assert!(!fits(&listed(ends("10.0.0.1", "192.0.2.1", 6, false), false), &row));
    }
}

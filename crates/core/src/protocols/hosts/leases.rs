//! DHCP clients that wait for an address, with what they call themselves.

use super::kept::Kept;
use crate::decode::Mac;

/// Clients that are remembered, with two names of at most 255 bytes each: 2.5 MB.
const MOST_CLIENTS: usize = 4096;

/// What one side of an exchange calls the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct ClientNames {
    /// Its host name (option 12).
    pub(in super::super) host: Option<Box<[u8]>>,
    /// Its full name (option 81).
    pub(in super::super) full: Option<Box<[u8]>>,
}

impl ClientNames {
    /// The better one: the full one says more.
    pub(in super::super) fn best(self) -> Option<Box<[u8]>> {
        self.full.or(self.host)
    }
}

/// Requests and replies lie on different connections, since a client without address hears only
/// what is sent to all; number and hardware address join them.
#[derive(Debug)]
pub(in super::super) struct Leases(Kept<(u32, Mac), ClientNames>);

impl Default for Leases {
    fn default() -> Self {
        Self(Kept::new(MOST_CLIENTS))
    }
}

impl Leases {
    /// A client asks.
    pub(in super::super) fn ask(&mut self, number: u32, mac: Mac, names: ClientNames) {
        self.0.insert((number, mac), names);
    }

    /// A client gets what it asked for; what it called itself.
    pub(in super::super) fn granted(&mut self, number: u32, mac: Mac) -> ClientNames {
        self.0.take(&(number, mac)).unwrap_or_default()
    }
}

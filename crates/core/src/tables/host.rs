//! Table `host`: what machines of the local network are called, and by whom.

use super::{Opt, Said, Text, Time, table};

table! {
    /// What was learned of an address of the local network: its hardware address, or its name.
    "host", HostRow, HostTable {
        /// When it was learned (UTC, nanoseconds).
        ts: Time,
        /// Name of the observer.
        sensor: Text,
        /// Interface it was seen on.
        iface: Text,
        /// The address.
        ip: Text,
        /// Its hardware address.
        mac: Opt<Text>,
        /// Its name, as it was said: of DHCP without a domain as a rule, of mDNS with .local.
        name: Opt<Said>,
        /// Who said it: arp, ndp, dhcp, mdns, llmnr.
        source: Text,
    }
}

//! Table `health`: what the observer saw, and what it could not.

use super::{Counts, Text, Time, U64, table};

table! {
    /// One interval of one source: what was seen, what was lost and where.
    "health", HealthRow, HealthTable {
        /// End of the interval (UTC, nanoseconds).
        ts: Time,
        /// Name of the observer.
        sensor: Text,
        /// The interface or file; empty for what belongs to the engine as a whole, relay for what the relay lost.
        source: Text,
        /// Packets seen.
        packets: U64,
        /// Bytes seen, as long as they were on the wire.
        bytes: U64,
        /// Packets the kernel dropped because the observer was late.
        dropped_kernel: U64,
        /// Rows dropped because the reader of the tables was late.
        dropped_queue: U64,
        /// Connections evicted because the flow table was full.
        dropped_table: U64,
        /// Packets counted once although they were seen on several interfaces.
        duplicates: U64,
        /// Packets that are broken or cut off and could not be decoded to the end, by kind.
        malformed: Counts,
        /// Packets that hold no IP, such as ARP, LLDP and STP, by kind: nothing is wrong with them.
        not_ip: Counts,
    }
}

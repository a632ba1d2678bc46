//! Table `alert`: what left its bounds, and when it was back. Its rows are made where the rules are kept.

use super::{Opt, Seconds, Text, Time, table};

table! {
    /// An alert that was raised, or one that is over: each is raised once and recovers once.
    "alert", AlertRow, AlertTable {
        /// When it was raised or recovered (UTC, nanoseconds).
        ts: Time,
        /// Names the alert and joins its two rows.
        alert_id: Text,
        /// Name of the observer.
        sensor: Text,
        /// The rule's name.
        rule: Text,
        /// What the rule counts apart (a host, an address, a program); missing where it counts all together.
        key: Opt<Text>,
        /// raised or recovered.
        state: Text,
        /// info, warning or critical.
        severity: Text,
        /// What is measured, as the rule names it.
        metric: Text,
        /// What was measured at this moment.
        value: Seconds,
        /// The value that raises it.
        threshold: Seconds,
        /// The value that lets it recover.
        clear: Seconds,
        /// The highest value while it lasted.
        peak: Opt<Seconds>,
        /// When it was raised.
        since: Time,
        /// Seconds it lasted; missing while it lasts.
        duration: Opt<Seconds>,
        /// What is told to people.
        message: Text,
    }
}

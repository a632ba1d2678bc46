//! When a connection is over: its timeouts, and how its ends closed it.

use super::tcp::EndState;
use super::{EndReason, Flow};
use crate::config::Timeouts;
use crate::decode::{ICMP, ICMP6};
use crate::packet::Nanos;

/// How much sooner than usual a connection ends, as a class; 0 is usual.
pub(super) fn waits_shorter(flow: &Flow) -> u8 {
    use EndState::{Closed, Inactive, Reset, SynSent};
    match (flow.up.state, flow.down.state) {
        (Reset, _) | (_, Reset) => 3,
        (Closed, Closed) => 2,
        (SynSent, Inactive) => 1,
        _ => 0,
    }
}

pub(super) fn timeout(flow: &Flow, timeouts: &Timeouts) -> Nanos {
    match (flow.key.proto, waits_shorter(flow)) {
        (6, 3) => timeouts.tcp_reset,
        (6, 2) => timeouts.tcp_close,
        (6, 1) => timeouts.tcp_attempt,
        (6, _) => timeouts.tcp,
        (17, _) => timeouts.udp,
        (ICMP | ICMP6, _) => timeouts.icmp,
        _ => timeouts.other,
    }
}

/// How the ends themselves closed the connection, if they did.
pub(super) fn ended_by_peer(flow: &Flow) -> Option<EndReason> {
    match waits_shorter(flow) {
        3 => Some(EndReason::Rst),
        2 => Some(EndReason::Fin),
        _ => None,
    }
}

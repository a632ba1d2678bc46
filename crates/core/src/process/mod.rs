//! Who runs here and opens sockets: programs and the connections they hold, told as they begin.
//!
//! A ladder of methods, of which the best that works is taken and named: BPF programs that the
//! kernel runs inside connect, accept and send; its tracepoints through `perf_event_open`; the
//! process connector beside exact questions by `NETLINK_SOCK_DIAG`; those questions alone; and a
//! table scan. Linux only; elsewhere [`Watch::open`] says so and Python asks psutil instead.
//!
//! What the kernel tells is put in order of time ([`event`]), programs are kept by pid and
//! generation ([`programs`]), and what comes out is a flat [`Record`].

#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nobody tells"))]
mod ends;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nobody tells"))]
mod event;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nobody tells"))]
mod programs;
mod record;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(test)]
mod tests;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nobody tells"))]
mod trace;

pub use ends::Ends;
pub use record::{Action, Method, Program, Record, Socket, Stats};

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Watch;
#[cfg(target_os = "linux")]
pub use linux::Watch;

//! The relay: connections taken in, let in or not, routed by what they say first, and carried to where they belong.
//!
//! [`session`] decides without I/O what happens to a connection; `reactor` does it. [`plan`] is what it is told,
//! [`detect`], [`limits`] and [`lists`] are who goes where and who comes in, `events` what is told of it.

mod balance;
mod countries;
pub mod detect;
mod events;
mod excerpt;
mod handle;
pub mod limits;
pub mod lists;
mod moment;
mod net;
pub mod plan;
pub mod proxy;
mod reactor;
mod running;
pub mod session;
mod shared;

pub use handle::{Live, Outlet, Relay, ServiceStats, Stats, duplicate};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests;

//! Tidegate's data plane: packets and bytes in, tables out.
//!
//! The way of the data is the order of the modules: [`capture`] yields a
//! [`packet::Packet`], [`decode`] makes it a [`decode::Segment`], [`flow`] puts it to its
//! connection and its stream, [`protocols`] hear what is said, [`tables`] keeps the rows, and [`engine::Engine`] joins them.
//! Nothing here reads a clock or knows Python.

#[cfg(target_os = "linux")]
mod bpf;
pub mod capture;
pub mod config;
pub mod decode;
pub mod engine;
pub mod error;
pub mod flow;
pub mod health;
pub mod packet;
mod private;
pub mod process;
pub mod protocols;
pub mod relay;
pub mod steering;
pub mod tables;

pub use config::Config;
pub use engine::Engine;
pub use error::Error;
pub use packet::{LinkType, Packet, PacketBatch};

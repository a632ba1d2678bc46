//! The engine alone: a capture's packets in, connection records made and thrown away.
//!
//! `engine FILE [--rows | --all]` (rows: each record becomes a row of `conn` as well; all: of every table) prints what it read and what its open connections cost in memory, as JSON.
//! The smallest whole program over this crate, and what `bench/run` measures.

use std::error::Error;
use std::fs;
use std::time::Duration;

use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::{Polled, Source};
use tidegate_core::config::{Config, usual_tables};
use tidegate_core::engine::Engine;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: engine FILE [--rows | --all]")?;
    let tables = match std::env::args().nth(2).as_deref() {
        None => Vec::new(),
        Some("--rows") => vec!["conn"],
        Some(_) => usual_tables(),
    };
    let mut source = CaptureFiles::open(&[path])?;
    // Room beyond the benchmark's million, so that it measures open connections and not eviction.
    let mut engine = Engine::new(Config { max_flows: 2_000_000, tables, ..Config::default() });
    let before = resident();
    loop {
        match source.poll(Duration::ZERO)? {
            Polled::Interface(interface) => engine.interface(interface),
            Polled::Packets(batch) => engine.packets(&batch),
            Polled::Idle => {}
            Polled::End => break,
        }
        drop(engine.drain(false));
    }
    let resident = resident().saturating_sub(before);
    let open = engine.stats().flows;
    engine.finish(&source.stats());
    drop(engine.drain(true));
    let stats = engine.stats();
    println!(
        r#"{{"packets": {}, "bytes": {}, "connections": {}, "open": {open}, "resident": {resident}}}"#,
        stats.packets, stats.bytes, stats.connections
    );
    Ok(())
}

/// Bytes of this process in memory; 0 where /proc does not say.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

//! Reads live interfaces and does nothing with the packets: what capture alone costs.
//!
//! `drain INTERFACE... [-- FILTER]`, until standard input ends. Prints packets, bytes, what
//! the kernel dropped and what was seen twice; its CPU time is for the caller to read.
#![allow(clippy::print_stdout)]

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tidegate_core::Error;
use tidegate_core::capture::live::{LINGER, LiveConfig, LiveSource};
use tidegate_core::capture::{Polled, Source};

fn main() -> Result<(), Error> {
    let mut words = std::env::args().skip(1);
    let interfaces = words.by_ref().take_while(|word| word != "--").collect();
    let filter = Some(words.collect::<Vec<_>>().join(" ")).filter(|filter| !filter.is_empty());
    let mut source = LiveSource::open(&LiveConfig { interfaces, filter, ..LiveConfig::default() })?;
    let stopped = Arc::new(AtomicBool::new(false));
    let (waker, stop) = (source.waker(), Arc::clone(&stopped));
    let input = std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stop.store(true, Ordering::Relaxed);
        waker.wake();
    });
    let (mut packets, mut bytes) = (0_u64, 0_u64);
    let mut until = None;
    while until.is_none_or(|until| Instant::now() < until) {
        if until.is_none() && stopped.load(Ordering::Relaxed) {
            until = Some(Instant::now() + LINGER);
        }
        match source.poll(Duration::from_millis(25))? {
            Polled::Packets(batch) => {
                packets += batch.len() as u64;
                bytes += batch.iter().map(|p| u64::from(p.wire_len)).sum::<u64>();
            }
            Polled::Idle | Polled::Interface(_) => {}
            Polled::End => break,
        }
    }
    let stats = source.stats();
    let (dropped, twice) = (stats.kernel_dropped, stats.duplicates);
    println!("{packets} packets, {bytes} bytes, {dropped:?} dropped, {twice:?} twice");
    let _ = input.join();
    Ok(())
}

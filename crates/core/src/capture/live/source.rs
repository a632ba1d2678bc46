//! The door to live interfaces: opened by whichever way the system has.

use std::time::Duration;

use super::config::LiveConfig;
use super::pcap_tap::PcapTap;
use super::ports::Ports;
#[cfg(target_os = "linux")]
use super::ring_tap::RingTap;
use super::tap::{HOLD_MS, Tap};
use super::wake::Waker;
use crate::capture::{Polled, Source, SourceStats};
use crate::error::Error;

/// How long the kernel may keep a packet before it hands it over. Who stops reads on for this
/// long, or loses what was seen last.
pub const LINGER: Duration = Duration::from_millis(HOLD_MS as u64 * 2 + 10);

/// Live interfaces as a source. `Idle` comes also after a wake, a signal, or packets that were
/// all left out. It never ends: interfaces that are gone are waited for.
pub struct LiveSource {
    // One indirect call a batch; what is done per packet is made for each kind of tap.
    ports: Box<dyn Watched + Send>,
    waker: Waker,
}

impl LiveSource {
    /// Opens all interfaces of `config`: by packet rings on Linux, by libpcap elsewhere. An
    /// interface that is down or has no address is fine; one that is named and does not exist,
    /// or that we may not open, is an error. Later on, one that comes is watched, and one that
    /// goes is waited for.
    pub fn open(config: &LiveConfig) -> Result<Self, Error> {
        #[cfg(target_os = "linux")]
        return Self::over::<RingTap>(config, config.opener.clone());
        #[cfg(not(target_os = "linux"))]
        Self::open_libpcap(config, None)
    }

    /// The same by libpcap on any system, from the file `library` if one is named.
    pub fn open_libpcap(config: &LiveConfig, library: Option<&str>) -> Result<Self, Error> {
        Self::over::<PcapTap>(config, PcapTap::way(library)?)
    }

    fn over<T: Tap + Send + 'static>(config: &LiveConfig, way: T::Way) -> Result<Self, Error>
    where
        T::Way: Send,
    {
        let (ports, waker) = Ports::<T>::open(config, way)?;
        Ok(Self { ports: Box::new(ports), waker })
    }

    /// Names of the interfaces watched so far, in the order of their numbers in packets.
    pub fn interfaces(&self) -> Vec<String> {
        self.ports.names()
    }

    /// Something to end a wait in `poll` with, from any thread.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

impl Source for LiveSource {
    fn poll(&mut self, timeout: Duration) -> Result<Polled<'_>, Error> {
        self.ports.poll(timeout)
    }

    fn stats(&mut self) -> SourceStats {
        self.ports.stats()
    }
}

/// What ports can be asked, whatever they tap.
trait Watched: Source {
    fn names(&self) -> Vec<String>;
}

impl<T: Tap> Watched for Ports<T> {
    fn names(&self) -> Vec<String> {
        self.names()
    }
}

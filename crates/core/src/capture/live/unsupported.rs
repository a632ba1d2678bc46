//! Live capture where there is none yet: one clear error.

use std::time::Duration;

use super::config::LiveConfig;
use crate::capture::{Polled, Source, SourceStats};
use crate::error::Error;

/// How long a packet may take to be handed over.
pub const LINGER: Duration = Duration::ZERO;

/// Live interfaces; cannot be opened on this system.
pub struct LiveSource(std::convert::Infallible);

/// Ends the wait of a source.
#[derive(Clone, Debug)]
pub struct Waker(std::convert::Infallible);

impl Waker {
    /// Ends the wait that goes on.
    pub fn wake(&self) {
        match self.0 {}
    }
}

impl LiveSource {
    /// Always an error here.
    pub fn open(_config: &LiveConfig) -> Result<Self, Error> {
        Err(Error::Usage(
            "live capture works on Linux only so far; record with tcpdump -w and read the file"
                .to_owned(),
        ))
    }

    /// Names of the interfaces.
    pub fn interfaces(&self) -> Vec<String> {
        match self.0 {}
    }

    /// Something to end a wait with.
    pub fn waker(&self) -> Waker {
        match self.0 {}
    }
}

impl Source for LiveSource {
    fn poll(&mut self, _timeout: Duration) -> Result<Polled<'_>, Error> {
        match self.0 {}
    }

    fn stats(&mut self) -> SourceStats {
        match self.0 {}
    }
}

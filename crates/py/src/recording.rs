//! A recording beside the tables: when it fails, it says so once and the tables go on.

use tidegate_core::Error;
use tidegate_core::capture::Interface;
use tidegate_core::capture::record::{RecordConfig, Recorder};
use tidegate_core::packet::{Nanos, PacketBatch};

/// What is recorded of a capture, and what went wrong with it.
pub(crate) struct Recording {
    to: Option<Recorder>,
    /// The first failure, which names the file; later ones mostly repeat it.
    failure: Option<String>,
    lost: u64,
}

impl Recording {
    pub(crate) fn create(config: RecordConfig) -> Result<Self, Error> {
        Ok(Self { to: Some(Recorder::create(config)?), failure: None, lost: 0 })
    }

    pub(crate) fn interface(&mut self, interface: &Interface) {
        if let Some(to) = &mut self.to {
            to.interface(interface);
        }
    }

    pub(crate) fn packets(&mut self, batch: &PacketBatch<'_>) {
        let Some(to) = &mut self.to else { return };
        for packet in batch {
            if let Err(error) = to.packet(packet) {
                self.failure.get_or_insert_with(|| error.to_string());
            }
        }
    }

    /// Writes what is gathered, so that a reader of the file sees it.
    pub(crate) fn flush(&mut self) {
        let failed = self.to.as_mut().and_then(|to| to.flush().err());
        self.failed(failed);
    }

    /// Ends the recording, with what the kernel dropped per interface noted in it.
    pub(crate) fn close(&mut self, last: Nanos, dropped: &[u64]) {
        self.flush();
        let Some(mut to) = self.to.take() else { return };
        for (iface, packets) in (0..).zip(dropped).filter(|(_, packets)| **packets > 0) {
            to.dropped(iface, last, *packets);
        }
        self.lost = to.stats().lost;
        let failed = to.close().err();
        self.failed(failed);
    }

    /// What the user has to know, if anything.
    pub(crate) fn warning(&self) -> Option<String> {
        let failure = self.failure.as_ref()?;
        let lost = self.to.as_ref().map_or(self.lost, |to| to.stats().lost);
        Some(format!("recording: {failure}; {lost} packets are missing in it"))
    }

    fn failed(&mut self, error: Option<Error>) {
        if let (None, Some(error)) = (&self.failure, error) {
            self.failure = Some(error.to_string());
        }
    }
}

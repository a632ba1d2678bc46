//! Systems whose kernel tells nothing of programs: said in one line, psutil is asked instead.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use super::record::{Method, Record, Stats};
use crate::error::Error;

/// Never exists here.
#[derive(Debug)]
pub struct Watch(Infallible);

impl Watch {
    /// Refuses.
    pub fn open(_: Option<&[String]>) -> Result<Self, Error> {
        Err(Error::Usage("programs are watched by the kernel on Linux only".to_owned()))
    }

    /// The method in use.
    pub fn method(&self) -> Method {
        match self.0 {}
    }

    /// Why better ones are not.
    pub fn refused(&self) -> Vec<(&'static str, String)> {
        match self.0 {}
    }

    /// Waits for records and takes them.
    pub fn poll(&self, _: Duration) -> Option<Vec<Record>> {
        match self.0 {}
    }

    /// Who holds these ends now.
    pub fn lookup(&self, _: &str, _: (IpAddr, u16), _: Option<(IpAddr, u16)>) -> Vec<Record> {
        match self.0 {}
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        match self.0 {}
    }

    /// Ends it.
    pub fn stop(&self) {
        match self.0 {}
    }
}

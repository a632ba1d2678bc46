//! What addresses are called: names from DNS answers, for the connections that follow them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::decode::Address;
use crate::packet::Nanos;
use crate::tables::said;

/// How the called end of a connection is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: Arc<str>,
    /// Who said it.
    pub source: NameSource,
    /// When it was said.
    pub ts: Nanos,
}

/// Who said a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// A TLS `ClientHello`.
    Sni,
    /// A QUIC `ClientHello`.
    Quic,
    /// A `ClientHello` with an encrypted one in it: the site, or a name that hides it.
    Ech,
    /// An HTTP Host header.
    Http,
    /// A DNS answer seen before the connection.
    Dns,
}

impl NameSource {
    /// As column `name_source` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sni => "sni",
            Self::Quic => "quic",
            Self::Ech => "ech",
            Self::Http => "http",
            Self::Dns => "dns",
        }
    }
}

impl Name {
    /// A name as it was sent.
    pub fn new(name: &[u8], source: NameSource, ts: Nanos) -> Self {
        Self { text: Arc::from(said(name).as_ref()), source, ts }
    }
}

/// Names of addresses, until their time is over; bounded.
#[derive(Debug, Default)]
pub struct Names {
    _by_address: HashMap<Address, Name>,
}

impl Names {
    /// Room for so many addresses.
    pub fn new(_max: usize) -> Self {
        Self::default()
    }
}

//! `ClientHello` and `ServerHello` as they lie in their bytes (RFC 8446, sections 4.1.2 to 4.2;
//! RFC 5246, section 7.4.1).

use super::names::{is_grease, is_tls13, version_rank};
use crate::protocols::reader::Reader;

/// Extensions that are read, by their registered numbers.
pub(super) const SERVER_NAME: u16 = 0;
pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(super) const ALPN: u16 = 16;
pub(super) const PRE_SHARED_KEY: u16 = 41;
pub(super) const EARLY_DATA: u16 = 42;
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// The random by which a `ServerHello` is a `HelloRetryRequest` (RFC 8446, section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a client offers. Lists are as they were sent; each must be whole, what is in an extension
/// need not.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientHello<'a> {
    /// `legacy_version`.
    pub version: u16,
    pub session_id: &'a [u8],
    ciphers: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Reads a message's body; `None` if it is none.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut body = Reader::new(body);
        let version = body.u16()?;
        body.take(32)?;
        let session_id = body.vector8()?;
        let ciphers = body.vector16()?;
        body.vector8()?;
        let extensions = if body.is_empty() { &[][..] } else { body.vector16()? };
        let hello = Self { version, session_id, ciphers, extensions };
        let whole =
            session_id.len() <= 32 && ciphers.len().is_multiple_of(2) && is_whole(extensions);
        whole.then_some(hello)
    }

    /// Cipher suites in their order, GREASE left out.
    pub(super) fn ciphers(&self) -> impl Iterator<Item = u16> + 'a {
        numbers(self.ciphers)
    }

    /// Extensions by number in their order, GREASE included.
    pub(super) fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> + 'a {
        extensions(self.extensions)
    }

    /// The first extension of a number.
    pub(super) fn extension(&self, number: u16) -> Option<&'a [u8]> {
        self.extensions().find(|(found, _)| *found == number).map(|(_, content)| content)
    }

    /// The host name asked for (RFC 6066, section 3).
    pub(super) fn server_name(&self) -> Option<&'a [u8]> {
        let mut list = Reader::new(Reader::new(self.extension(SERVER_NAME)?).vector16()?);
        while !list.is_empty() {
            let (kind, name) = (list.u8()?, list.vector16()?);
            if kind == 0 {
                return Some(name);
            }
        }
        None
    }

    /// Application protocols in their order (RFC 7301).
    pub(super) fn alpn(&self) -> impl Iterator<Item = &'a [u8]> + 'a {
        protocols(self.extension(ALPN).unwrap_or_default())
    }

    /// Versions in their order, GREASE left out.
    pub(super) fn versions(&self) -> Vec<u16> {
        let list = self.extension(SUPPORTED_VERSIONS).map(|list| Reader::new(list).vector8());
        list.map_or_else(|| vec![self.version], |list| numbers(list.unwrap_or_default()).collect())
    }

    /// The highest of them.
    pub(super) fn highest_version(&self) -> u16 {
        let highest = self.versions().into_iter().max_by_key(|version| version_rank(*version));
        highest.unwrap_or(self.version)
    }

    /// Signature algorithms in their order, GREASE left out.
    pub(super) fn signature_algorithms(&self) -> impl Iterator<Item = u16> + 'a {
        let list = self.extension(SIGNATURE_ALGORITHMS).map(|list| Reader::new(list).vector16());
        numbers(list.flatten().unwrap_or_default())
    }
}

/// What a server chose, copied: it is small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub version: u16,
    pub cipher: u16,
    pub session_id: Box<[u8]>,
    pub alpn: Option<Box<[u8]>>,
    /// Whether it took a key that both already had (TLS 1.3).
    pub pre_shared_key: bool,
    /// Whether it asks for another `ClientHello` instead.
    pub retry: bool,
}

impl ServerHello {
    /// Reads a message's body; `None` if it is none.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut body = Reader::new(body);
        let legacy = body.u16()?;
        let retry = body.take(32)? == RETRY;
        // Drafts of TLS 1.3 up to the 21st have neither session nor compression.
        let early_draft = is_tls13(legacy);
        let session_id = if early_draft { &[] } else { body.vector8()? };
        let cipher = body.u16()?;
        if !early_draft {
            body.u8()?;
        }
        let list = if body.is_empty() { &[][..] } else { body.vector16()? };
        if session_id.len() > 32 || !is_whole(list) {
            return None;
        }
        let find = |number| {
            extensions(list).find(|(found, _)| *found == number).map(|(_, content)| content)
        };
        let chosen = find(SUPPORTED_VERSIONS).and_then(|chosen| Reader::new(chosen).u16());
        Some(Self {
            version: chosen.unwrap_or(legacy),
            cipher,
            session_id: session_id.into(),
            alpn: find(ALPN).and_then(|list| protocols(list).next()).map(Box::from),
            pre_shared_key: find(PRE_SHARED_KEY).is_some(),
            retry,
        })
    }
}

/// Numbers of two bytes, GREASE left out.
fn numbers(list: &[u8]) -> impl Iterator<Item = u16> + '_ {
    let pairs =
        list.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(u16::from_be_bytes));
    pairs.filter(|number| !is_grease(*number))
}

fn extensions(list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut list = Reader::new(list);
    std::iter::from_fn(move || Some((list.u16()?, list.vector16()?)))
}

/// Whether a list of extensions ends where its last one does.
fn is_whole(list: &[u8]) -> bool {
    let read: usize = extensions(list).map(|(_, content)| 4 + content.len()).sum();
    read == list.len()
}

fn protocols(extension: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Reader::new(Reader::new(extension).vector16().unwrap_or_default());
    std::iter::from_fn(move || list.vector8())
}

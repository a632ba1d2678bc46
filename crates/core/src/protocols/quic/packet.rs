//! QUIC packets as they lie in a datagram, as far as they are in clear (RFC 9000, section 17).

use super::version::Version;

/// Bytes of a connection ID, at most.
const LONGEST_ID: usize = 20;

/// Bytes that a client pads its Initial datagrams to, at least (RFC 9000, section 14.1).
pub(super) const INITIAL_DATAGRAM: usize = 1200;

/// Bytes at the end of a Retry packet that prove it.
const RETRY_TAG: u64 = 16;

/// A packet, by what its unprotected part tells.
#[derive(Debug)]
pub(super) enum Packet<'a> {
    Initial(Initial<'a>),
    /// Sent by a client with keys of an earlier connection.
    ZeroRtt,
    Handshake,
    /// The server wants the client to prove its address, and to begin anew.
    Retry,
    /// The server wants another version. No version of its own.
    Negotiation(&'a [u8]),
    /// With a short header, which ends a datagram: the handshake's keys are there.
    OneRtt,
    /// Of a version that we do not read. Where it ends is not known.
    Foreign(Version),
    /// One that would end so many bytes after the datagram's first, which are not there.
    Cut(u64),
}

/// An Initial packet, protected.
#[derive(Debug)]
pub(super) struct Initial<'a> {
    pub version: Version,
    /// Destination Connection ID.
    pub dcid: &'a [u8],
    /// All of the packet, from the first byte of its header on.
    pub bytes: &'a [u8],
    /// Where in it the packet number begins.
    pub number_at: usize,
}

/// What the invariants say of any long header (RFC 8999, section 5.1).
struct Long<'a> {
    first: u8,
    version: Version,
    dcid: &'a [u8],
}

/// Bytes that are no packet, or no frame: too few, or against the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The first packet in the rest of a datagram, and what comes after it.
pub(super) fn split(datagram: &[u8]) -> Result<(Packet<'_>, &[u8]), Broken> {
    let mut bytes = Bytes(datagram);
    let first = bytes.byte()?;
    if first & 0x80 == 0 {
        // Zeros after the last packet are padding that somebody put outside of it.
        return if first & 0x40 == 0 { Err(Broken) } else { Ok((Packet::OneRtt, &[])) };
    }
    let long = Long { first, version: Version(bytes.number()?), dcid: bytes.id()? };
    bytes.id()?;
    if long.version.0 == 0 {
        return Ok((Packet::Negotiation(bytes.0), &[]));
    }
    if long.version.salt().is_none() {
        return Ok((Packet::Foreign(long.version), &[]));
    }
    body(&long, datagram, bytes)
}

/// The rest of a long header, and the packet's end.
fn body<'a>(
    long: &Long<'a>,
    datagram: &'a [u8],
    mut bytes: Bytes<'a>,
) -> Result<(Packet<'a>, &'a [u8]), Broken> {
    let kind = long.kind();
    match kind {
        Kind::Retry => {
            bytes.take(RETRY_TAG)?;
            return Ok((Packet::Retry, &[]));
        }
        Kind::Initial => {
            let token = bytes.varint()?;
            bytes.take(token)?;
        }
        Kind::ZeroRtt | Kind::Handshake => (),
    }
    let length = bytes.varint()?;
    let number_at = datagram.len() - bytes.0.len();
    if length > bytes.0.len() as u64 {
        return Ok((Packet::Cut(length + number_at as u64), &[]));
    }
    bytes.take(length)?;
    let (whole, rest) = datagram.split_at(datagram.len() - bytes.0.len());
    let packet = match kind {
        Kind::Initial => {
            let (version, dcid) = (long.version, long.dcid);
            Packet::Initial(Initial { version, dcid, bytes: whole, number_at })
        }
        Kind::ZeroRtt => Packet::ZeroRtt,
        _ => Packet::Handshake,
    };
    Ok((packet, rest))
}

enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

impl Long<'_> {
    fn kind(&self) -> Kind {
        let bits = self.first >> 4 & 3;
        // Version 2 moved them all by one (RFC 9369, section 3.2).
        match if self.version == Version::TWO { bits.wrapping_sub(1) & 3 } else { bits } {
            0 => Kind::Initial,
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry,
        }
    }
}

/// The versions in a Version Negotiation packet (RFC 9000, section 17.2.1).
pub(super) fn versions(list: &[u8]) -> impl Iterator<Item = Version> {
    list.chunks_exact(4)
        .map(|bytes| Version(bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))))
}

/// The version of a Google QUIC before Q046, whose header is another: flags, a connection ID of
/// eight bytes, the version.
pub(super) fn old_google(datagram: &[u8]) -> Option<Version> {
    let (&[flags], rest) = datagram.split_first_chunk()?;
    let (_, rest) = rest.split_first_chunk::<8>()?;
    let version = Version(u32::from_be_bytes(*rest.first_chunk()?));
    // Flags: version, connection ID there, length of the packet number; no reset, no reserved bit.
    let begins = flags & 0b1100_1011 == 0b0000_1001 && rest.first() == Some(&b'Q');
    (begins && version.is_known()).then_some(version)
}

/// Bytes that are read from their front.
pub(super) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, Broken> {
        let (&byte, rest) = self.0.split_first().ok_or(Broken)?;
        self.0 = rest;
        Ok(byte)
    }

    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], Broken> {
        let count = usize::try_from(count).map_err(|_| Broken)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Broken)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Broken> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Broken)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    fn id(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.byte()?;
        if usize::from(length) > LONGEST_ID {
            return Err(Broken);
        }
        self.take(u64::from(length))
    }

    /// A number of 1, 2, 4 or 8 bytes, which its first two bits tell (RFC 9000, section 16).
    pub(super) fn varint(&mut self) -> Result<u64, Broken> {
        let first = self.byte()?;
        let more = self.take((1 << (first >> 6)) - 1)?;
        let begin = u64::from(first & 0x3f);
        Ok(more.iter().fold(begin, |number, &byte| number << 8 | u64::from(byte)))
    }
}

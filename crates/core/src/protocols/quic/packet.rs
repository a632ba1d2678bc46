//! QUIC packets as they lie in a datagram, as far as they are in clear (RFC 9000, section 17).

use super::version::Version;
use crate::protocols::reader::Reader;

/// Bytes of a connection ID, at most.
const LONGEST_ID: usize = 20;

/// Bytes that a client pads its Initial datagrams to, at least (RFC 9000, section 14.1).
pub(super) const INITIAL_DATAGRAM: usize = 1200;

/// Bytes at the end of a Retry packet that prove it.
const RETRY_TAG: usize = 16;

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

/// The first packet in the rest of a datagram, and what comes after it; `None` if it is no packet.
pub(super) fn split(datagram: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let mut bytes = Reader::new(datagram);
    let first = bytes.u8()?;
    if first & 0x80 == 0 {
        // Zeros after the last packet are padding that somebody put outside of it.
        return (first & 0x40 != 0).then_some((Packet::OneRtt, &[][..]));
    }
    let long = Long { first, version: Version(bytes.u32()?), dcid: id(&mut bytes)? };
    id(&mut bytes)?;
    if long.version.0 == 0 {
        return Some((Packet::Negotiation(bytes.rest()), &[]));
    }
    if long.version.salt().is_none() {
        return Some((Packet::Foreign(long.version), &[]));
    }
    body(&long, datagram, bytes)
}

/// The rest of a long header, and the packet's end.
fn body<'a>(
    long: &Long<'a>,
    datagram: &'a [u8],
    mut bytes: Reader<'a>,
) -> Option<(Packet<'a>, &'a [u8])> {
    let kind = long.kind();
    match kind {
        Kind::Retry => {
            bytes.take(RETRY_TAG)?;
            return Some((Packet::Retry, &[]));
        }
        Kind::Initial => {
            bytes.counted()?;
        }
        Kind::ZeroRtt | Kind::Handshake => (),
    }
    let length = bytes.varint()?;
    let number_at = datagram.len() - bytes.rest().len();
    if length > bytes.rest().len() as u64 {
        return Some((Packet::Cut(length + number_at as u64), &[]));
    }
    let (whole, rest) = datagram.split_at_checked(number_at + length as usize)?;
    let packet = match kind {
        Kind::Initial => {
            let (version, dcid) = (long.version, long.dcid);
            Packet::Initial(Initial { version, dcid, bytes: whole, number_at })
        }
        Kind::ZeroRtt => Packet::ZeroRtt,
        _ => Packet::Handshake,
    };
    Some((packet, rest))
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

/// A connection ID, with its length before it.
fn id<'a>(bytes: &mut Reader<'a>) -> Option<&'a [u8]> {
    bytes.vector8().filter(|id| id.len() <= LONGEST_ID)
}

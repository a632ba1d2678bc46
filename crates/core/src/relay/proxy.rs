//! The PROXY protocol, versions 1 and 2: who a connection comes from, said before its first byte.
//!
//! As in `HAProxy`'s `proxy-protocol.txt` (2.2 of its sections for version 2). Of the additions (TLVs) that version 2
//! may carry only the checksum is looked at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::plan::ProxyVersion;

/// The longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;

/// The longest header of version 2 that is taken. Senders add some hundred bytes at most.
pub const LONGEST: usize = 16 + 4096;

/// What version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What version 1 begins with.
const WORD: &[u8; 6] = b"PROXY ";

/// Type of the addition that holds a checksum of the header (CRC-32C).
const CRC: u8 = 3;

/// Why bytes are no header. The connection is to be closed: what it comes from is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Bad(pub &'static str);

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How it was written.
    pub version: ProxyVersion,
    /// Who speaks with whom.
    pub ends: Ends,
}

/// The two ends of the connection that the sender took in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The sender speaks for itself, as when it looks whether we are well (`LOCAL`): the connection's own ends count.
    Local,
    /// The sender does not know (`UNKNOWN`): the connection's own ends count.
    Unknown,
    /// Client and the address it called.
    Ip(SocketAddr, SocketAddr),
    /// Paths of unix sockets, as they were sent, up to the first zero.
    Unix(Box<[u8]>, Box<[u8]>),
}

/// Reads a header from the front of what a connection said; with it, how many bytes it takes. `None`: more bytes are
/// needed, [`LONGEST`] at most.
pub fn parse(data: &[u8]) -> Result<Option<(Header, usize)>, Bad> {
    let begins = |magic: &[u8]| data.iter().zip(magic).all(|(byte, wanted)| byte == wanted);
    if begins(SIGNATURE) {
        binary(data)
    } else if begins(WORD) {
        line(data)
    } else {
        Err(Bad("no PROXY header"))
    }
}

fn line(data: &[u8]) -> Result<Option<(Header, usize)>, Bad> {
    let looked_at = data.get(..LONGEST_LINE).unwrap_or(data);
    let Some(end) = memchr::memchr(b'\n', looked_at) else {
        let whole = looked_at.len() == LONGEST_LINE;
        return if whole { Err(Bad("PROXY line too long")) } else { Ok(None) };
    };
    let wrong = Bad("PROXY line malformed");
    let line = looked_at.get(..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(wrong)?;
    let line = std::str::from_utf8(line).map_err(|_| wrong)?;
    let ends = words(line.strip_prefix("PROXY ").ok_or(wrong)?).ok_or(wrong)?;
    Ok(Some((Header { version: ProxyVersion::V1, ends }, end + 1)))
}

/// What stands behind the first word of a line.
fn words(line: &str) -> Option<Ends> {
    let mut words = line.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Ends::Unknown);
    }
    let mut address = || -> Option<IpAddr> {
        let word = words.next()?;
        match family {
            "TCP4" => word.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => word.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (src, dst) = (address()?, address()?);
    let (src_port, dst_port) = (port(words.next()?)?, port(words.next()?)?);
    words.next().is_none().then(|| ip(src, src_port, dst, dst_port))
}

/// A port in decimal, without zeros before it.
fn port(word: &str) -> Option<u16> {
    let plain = word.bytes().all(|digit| digit.is_ascii_digit());
    let port = word.parse().ok()?;
    (plain && (word == "0" || !word.starts_with('0'))).then_some(port)
}

fn ip(src: IpAddr, src_port: u16, dst: IpAddr, dst_port: u16) -> Ends {
    let end = |ip: IpAddr, port| SocketAddr::new(ip.to_canonical(), port);
    Ends::Ip(end(src, src_port), end(dst, dst_port))
}

fn binary(data: &[u8]) -> Result<Option<(Header, usize)>, Bad> {
    let Some(([.., command, kind, high, low], rest)) = data.split_first_chunk::<16>() else {
        return check_command(data.get(SIGNATURE.len()).copied()).map(|()| None);
    };
    check_command(Some(*command))?;
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let whole = 16 + length;
    if whole > LONGEST {
        return Err(Bad("PROXY header too long"));
    }
    let (Some(body), Some(header)) = (rest.get(..length), data.get(..whole)) else {
        return Ok(None);
    };
    let (ends, additions) = match (command & 0xf, kind) {
        (0, _) => (Ends::Local, None),
        (_, 0) => (Ends::Unknown, None),
        (_, 0x11 | 0x12) => of_ip::<4>(body)?,
        (_, 0x21 | 0x22) => of_ip::<16>(body)?,
        (_, 0x31 | 0x32) => of_unix(body)?,
        _ => return Err(Bad("PROXY header of unknown family")),
    };
    check_additions(header, additions.unwrap_or_default())?;
    Ok(Some((Header { version: ProxyVersion::V2, ends }, whole)))
}

fn check_command(command: Option<u8>) -> Result<(), Bad> {
    match command {
        None | Some(0x20 | 0x21) => Ok(()),
        Some(_) => Err(Bad("PROXY header of unknown version or command")),
    }
}

/// The ends at the front of a header's body, and what follows them.
type Read<'a> = Result<(Ends, Option<&'a [u8]>), Bad>;

const SHORT: Bad = Bad("PROXY header too short for its addresses");

fn of_ip<const N: usize>(body: &[u8]) -> Read<'_>
where
    IpAddr: From<[u8; N]>,
{
    let (src, rest) = body.split_first_chunk::<N>().ok_or(SHORT)?;
    let (dst, rest) = rest.split_first_chunk::<N>().ok_or(SHORT)?;
    let (&[a, b, c, d], rest) = rest.split_first_chunk().ok_or(SHORT)?;
    let (src_port, dst_port) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    Ok((ip(IpAddr::from(*src), src_port, IpAddr::from(*dst), dst_port), Some(rest)))
}

fn of_unix(body: &[u8]) -> Read<'_> {
    let (src, rest) = body.split_first_chunk::<108>().ok_or(SHORT)?;
    let (dst, rest) = rest.split_first_chunk::<108>().ok_or(SHORT)?;
    let path = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().unwrap_or_default().into();
    Ok((Ends::Unix(path(src), path(dst)), Some(rest)))
}

/// Passes over additions; each must be whole, and a checksum right.
fn check_additions(header: &[u8], mut additions: &[u8]) -> Result<(), Bad> {
    while let Some((&[kind, high, low], rest)) = additions.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = rest.split_at_checked(length).ok_or(Bad("PROXY addition cut"))?;
        if kind == CRC {
            let said = value.try_into().map(u32::from_be_bytes);
            let said = said.map_err(|_| Bad("PROXY checksum of wrong length"))?;
            if said != checksum(header, header.len() - rest.len() - 4) {
                return Err(Bad("PROXY checksum wrong"));
            }
        }
        additions = rest;
    }
    if additions.is_empty() { Ok(()) } else { Err(Bad("PROXY addition cut")) }
}

/// CRC-32C (RFC 3720, appendix B.4) of a header, the four bytes at `hole` taken as zeros.
fn checksum(header: &[u8], hole: usize) -> u32 {
    let bytes = header.iter().enumerate();
    let bytes = bytes.map(|(at, byte)| if (hole..hole + 4).contains(&at) { 0 } else { *byte });
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    })
}

/// A header that says who speaks with whom. Ends of different families are both written as IPv6.
pub fn make(version: ProxyVersion, src: SocketAddr, dst: SocketAddr) -> Vec<u8> {
    let (src_port, dst_port) = (src.port(), dst.port());
    let (src, dst) = match (src.ip().to_canonical(), dst.ip().to_canonical()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => (IpAddr::V4(src), IpAddr::V4(dst)),
        (src, dst) => (IpAddr::V6(as_v6(src)), IpAddr::V6(as_v6(dst))),
    };
    match version {
        ProxyVersion::V1 => {
            let family = if src.is_ipv4() { 4 } else { 6 };
            format!("PROXY TCP{family} {src} {dst} {src_port} {dst_port}\r\n").into_bytes()
        }
        ProxyVersion::V2 => {
            let mut body = [octets(src), octets(dst)].concat();
            body.extend(src_port.to_be_bytes());
            body.extend(dst_port.to_be_bytes());
            version2(0x21, if src.is_ipv4() { 0x11 } else { 0x21 }, &body)
        }
    }
}

/// A header that names no ends: the client came by a unix socket, or the relay speaks for itself.
pub fn unknown(version: ProxyVersion) -> Vec<u8> {
    match version {
        ProxyVersion::V1 => b"PROXY UNKNOWN\r\n".to_vec(),
        ProxyVersion::V2 => version2(0x20, 0, &[]),
    }
}

fn version2(command: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [SIGNATURE.as_slice(), &[command, kind], &length, body].concat()
}

fn as_v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

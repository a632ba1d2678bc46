//! `NETLINK_SOCK_DIAG`: which sockets there are, and which one has these ends.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{DONE, DUMP, ERROR, Netlink, REQUEST};
use crate::process::ends::{Ends, TCP, UDP, address};
use crate::process::event::{slice_at, u16_at, u32_at};

const NETLINK_SOCK_DIAG: i32 = 4;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const INET: u8 = 2;
const INET6: u8 = 10;
/// The state of a listener, by number.
const LISTEN: u8 = 10;
/// All states but `TIME_WAIT` and half-open requests, which no program holds.
const HELD: u32 = !(1 << 6 | 1 << 12 | 1 << 3);
/// Length of `struct inet_diag_msg` and where its inode and cookie lie.
const MESSAGE: usize = 72;
const INODE: usize = 68;
const COOKIE: usize = 44;
/// The attribute that says whether an IPv6 socket takes IPv6 only.
const V6ONLY: u16 = 11;

/// A socket as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) ends: Ends,
    /// Waits for whoever comes.
    pub(crate) listens: bool,
    /// Its inode; 0 where no program holds it.
    pub(crate) inode: u64,
    /// Names it as BPF programs do; 0 where that is not known.
    pub(crate) cookie: u64,
}

/// An open door to the kernel's tables, of the namespace it was opened in.
pub(crate) struct Diag(Netlink);

impl Diag {
    /// Tried once, as kernels without these tables open it all the same.
    pub(crate) fn open() -> io::Result<Self> {
        let mut diag = Self(Netlink::open(NETLINK_SOCK_DIAG, 0)?);
        diag.0.room(1 << 20);
        diag.all()?;
        Ok(diag)
    }

    /// Every socket of TCP and UDP.
    pub(crate) fn all(&mut self) -> io::Result<Vec<Listed>> {
        let mut found = Vec::new();
        for proto in [TCP, UDP] {
            for family in [INET, INET6] {
                self.0.send(SOCK_DIAG_BY_FAMILY, REQUEST | DUMP, &request(family, proto, None))?;
                let mut over = false;
                while !over {
                    let mut refused = None;
                    self.0.receive(true, |kind, body| match kind {
                        SOCK_DIAG_BY_FAMILY => found.extend(listed(proto, body)),
                        DONE => over = true,
                        ERROR => refused = u32_at(body, 0),
                        _ => {}
                    })?;
                    if let Some(code) = refused {
                        return Err(io::Error::from_raw_os_error((code as i32).wrapping_neg()));
                    }
                }
            }
        }
        Ok(found)
    }

    /// The socket that has these ends, or the listener that would take them.
    pub(crate) fn exact(&mut self, ends: &Ends) -> io::Result<Option<Listed>> {
        let family = if ends.local.is_ipv4() { INET } else { INET6 };
        self.0.send(SOCK_DIAG_BY_FAMILY, REQUEST, &request(family, ends.proto, Some(ends)))?;
        let (mut found, mut over) = (None, false);
        while !over {
            self.0.receive(true, |kind, body| {
                over = true;
                if kind == SOCK_DIAG_BY_FAMILY {
                    found = listed(ends.proto, body);
                }
            })?;
        }
        Ok(found)
    }
}

/// `struct inet_diag_req_v2`.
fn request(family: u8, proto: u8, ends: Option<&Ends>) -> Vec<u8> {
    let mut body = vec![family, proto, 0, 0];
    body.extend(HELD.to_ne_bytes());
    let Some(ends) = ends else {
        body.resize(56, 0);
        return body;
    };
    let (local, remote) = ((ends.local, ends.local_port), (ends.remote, ends.remote_port));
    // For UDP the kernel takes the two ends the other way round.
    let (first, second) = if ends.proto == UDP { (remote, local) } else { (local, remote) };
    body.extend(first.1.to_be_bytes());
    body.extend(second.1.to_be_bytes());
    body.extend(sixteen(first.0));
    body.extend(sixteen(second.0));
    body.extend([0; 4]);
    // No cookie is asked for.
    body.extend([0xff; 8]);
    body
}

fn sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(six) => six.octets(),
        IpAddr::V4(four) => {
            let mut padded = [0; 16];
            padded.iter_mut().zip(four.octets()).for_each(|(to, from)| *to = from);
            padded
        }
    }
}

/// Reads `struct inet_diag_msg` and what follows it.
fn listed(proto: u8, body: &[u8]) -> Option<Listed> {
    let (family, state) = (*body.first()?, *body.get(1)?);
    let size = if family == INET { 4 } else { 16 };
    let port = |at: usize| u16_at(body, at).map(u16::from_be);
    let local = address(slice_at(body, 8, size)?)?;
    let ends = Ends {
        proto,
        local,
        local_port: port(4)?,
        remote: address(slice_at(body, 24, size)?)?,
        remote_port: port(6)?,
        both: family == INET6 && !v6only(body.get(MESSAGE..)?),
    };
    let listens = state == LISTEN || (proto == UDP && ends.remote_port == 0);
    let inode = u64::from(u32_at(body, INODE)?);
    let cookie = u64::from(u32_at(body, COOKIE)?) | u64::from(u32_at(body, COOKIE + 4)?) << 32;
    Some(Listed { ends: ends.plain(), listens, inode, cookie })
}

fn v6only(mut rest: &[u8]) -> bool {
    while let (Some(len), Some(kind)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        if kind == V6ONLY {
            return rest.get(4).is_some_and(|&value| value != 0);
        }
        let Some(next) = rest.get(usize::from(len.max(4)).next_multiple_of(4)..) else { break };
        rest = next;
    }
    false
}

/// No end, of the family of another.
pub(crate) fn nobody(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

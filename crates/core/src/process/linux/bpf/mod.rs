//! BPF programs that the kernel runs inside connect, listen, bind and send: they see a socket's
//! namespace, its port before the first packet, and whose a datagram is. Their instructions are
//! written here and use only what the kernel promises to keep, so that no compiler is needed.

mod cookie;
mod programs;
mod ring;

use std::ffi::c_int;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;

use cookie::own_net_cookie;
use programs::{Given, KEY_LENGTH, at, kind};
use ring::BpfRing;

use crate::bpf::load::{self, Code, Map};
use crate::process::ends::{Ends, TCP, UDP, address};
use crate::process::event::{Event, Told, What, slice_at, u32_at, u64_at};
use crate::process::linux::procfs::{monotonic, own_net};
use crate::process::record::{Action, Method};

/// Bytes of the ring: about ten thousand sockets that nobody took note of yet.
const RING: u32 = 1 << 20;
/// Ends of UDP that are remembered as told.
const TOLD: u32 = 16_384;

/// Loaded programs and the ring they write to.
pub(crate) struct Bpf {
    ring: BpfRing,
    lost: OwnedFd,
    counted: u64,
    net: u64,
    /// Their descriptors keep the programs running, and the maps they use.
    _links: Vec<OwnedFd>,
    _told: OwnedFd,
}

impl Bpf {
    /// Loads everything or nothing; from then on it is told of.
    pub(crate) fn open() -> io::Result<Self> {
        let group = first_group()?;
        let ring = load::map(Map::Ring, 0, 0, RING)?;
        let told = load::map(Map::Recent, KEY_LENGTH as u32, 8, TOLD)?;
        let lost = load::map(Map::Array, 4, 8, 1)?;
        let given = Given {
            ring: ring.as_raw_fd(),
            told: told.as_raw_fd(),
            lost: lost.as_raw_fd(),
            net: own_net_cookie()?,
        };
        let programs = given.programs();
        let links = programs.iter().map(|code| attach(code, group.as_raw_fd()));
        let links = links.collect::<io::Result<_>>()?;
        let ring = BpfRing::map(ring, RING)?;
        Ok(Self { ring, lost, counted: 0, net: own_net()?, _links: links, _told: told })
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.ring.raw()
    }

    /// Adds everything that lies in the ring to `events`.
    pub(crate) fn drain(&mut self, events: &mut Vec<Event>) {
        let net = self.net;
        self.ring.drain(|record| events.extend(read(record, net)));
        let lost = load::value(self.lost.as_raw_fd()).unwrap_or(self.counted);
        if lost > self.counted {
            events.push(Event { at: monotonic(), what: What::Lost(lost - self.counted) });
            self.counted = lost;
        }
    }
}

fn attach(code: &Code, group: RawFd) -> io::Result<OwnedFd> {
    load::attach(code, group).map_err(|error| {
        let words = crate::error::words(&error);
        io::Error::new(error.kind(), format!("the hook {} is refused: {words}", code.name))
    })
}

/// The control group that all processes are in.
fn first_group() -> io::Result<File> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let place = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let place = fields.next()?;
        (fields.next()? == "cgroup2").then_some(place)
    });
    let place =
        place.ok_or_else(|| io::Error::other("no unified control group (cgroup2) is mounted"))?;
    let group = File::open(place)?;
    // A container sees its own group there, whose number is another.
    if group.metadata()?.ino() != 1 {
        return Err(io::Error::other("only a container's control group is seen here"));
    }
    Ok(group)
}

fn read(record: &[u8], net: u64) -> Option<Event> {
    let word = |at: i16| u32_at(record, at as usize);
    let (kind, pid, uid) = (word(at::KIND)? as c_int, word(at::PID)?, word(at::UID)?);
    let cookie = u64_at(record, at::COOKIE as usize)?;
    let time = u64_at(record, at::TIME as usize)?;
    let action = match kind {
        kind::CONNECT4 | kind::CONNECT6 => Action::Connect,
        kind::SEND4 | kind::SEND6 => Action::Send,
        kind::LISTEN4 | kind::LISTEN6 | kind::BIND4 | kind::BIND6 => Action::Listen,
        _ => return Some(Event { at: time, what: What::Released { cookie } }),
    };
    let six = kind % 2 == 0;
    let end = |at: i16| address(slice_at(record, at as usize, if six { 16 } else { 4 })?);
    let local = end(at::LOCAL)?;
    let remote_port = word(at::REMOTE_PORT)?;
    let ends = Ends {
        proto: if kind <= kind::LISTEN6 { TCP } else { UDP },
        local,
        local_port: word(at::LOCAL_PORT)? as u16,
        remote: end(at::REMOTE)?,
        // In network order: in the upper half for TCP's hooks, in the lower one for the others.
        remote_port: match action {
            Action::Connect => u32::from_be(remote_port) as u16,
            Action::Send => u16::from_be(remote_port as u16),
            _ => 0,
        },
        both: six,
    };
    let (uid, net, method) = (Some(uid), Some(net), Method::Bpf);
    let told = Told { action, pid, ends, uid, net, method, cookie };
    Some(Event { at: time, what: What::Socket(told) })
}

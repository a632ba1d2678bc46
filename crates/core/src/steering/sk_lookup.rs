//! Steering by a BPF program of type `sk_lookup`, attached to the caller's network namespace.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::{PortRange, Refused, Wanted};
use crate::bpf::assemble::{Assembler, Helper, R0, R1, R2, R3, R6, R7, R8, R10, Size};
use crate::bpf::load::{self, Code, Map};
use crate::error::words;

/// `BPF_PROG_TYPE_SK_LOOKUP`, `BPF_SK_LOOKUP`.
const SK_LOOKUP: u32 = 30;
const ON_SK_LOOKUP: u32 = 36;
/// A bit for each port.
const BITMAP: usize = 65_536 / 8;
/// Address and port, both in whole words.
const KEY: i16 = 20;
/// More backends than this on one machine are a mistake.
const MAX_SPARED: usize = 256;
const TCP: i32 = libc::IPPROTO_TCP;

/// Fields of `struct bpf_sk_lookup`.
mod at {
    pub(super) const FAMILY: i16 = 8;
    pub(super) const PROTOCOL: i16 = 12;
    pub(super) const LOCAL4: i16 = 40;
    pub(super) const LOCAL6: i16 = 44;
    /// As a number.
    pub(super) const LOCAL_PORT: i16 = 60;
}

/// Steers until it is dropped, or until its process ends.
#[derive(Debug)]
pub struct SkLookup {
    /// The link keeps the program, and that its maps.
    _link: OwnedFd,
}

impl SkLookup {
    /// From now on new connections to what is wanted come to `listener`, a TCP socket of the same family that listens;
    /// others that share its port (`SO_REUSEPORT`) get their part.
    pub fn attach(wanted: &Wanted, listener: i32) -> Result<Self, Refused> {
        Self::attached(wanted, listener).map_err(|error| Refused(reason(&error)))
    }

    fn attached(wanted: &Wanted, listener: RawFd) -> io::Result<Self> {
        let ports = load::map(Map::Array, 4, BITMAP as u32, 1)?;
        load::put(ports.as_raw_fd(), &[0; 4], &bitmap(&wanted.ports))?;
        let sockets = load::map(Map::Sockets, 4, 4, 1)?;
        load::put(sockets.as_raw_fd(), &[0; 4], &listener.to_ne_bytes())?;
        let spared = spared(wanted)?;
        let given = Given {
            ports: ports.as_raw_fd(),
            sockets: sockets.as_raw_fd(),
            spared: spared.as_ref().map(AsRawFd::as_raw_fd),
        };
        let namespace = File::open("/proc/thread-self/ns/net")?;
        let link = load::attach(&program(wanted.ip, given), namespace.as_raw_fd())?;
        Ok(Self { _link: link })
    }
}

/// Descriptors of the maps.
#[derive(Clone, Copy)]
struct Given {
    ports: RawFd,
    sockets: RawFd,
    spared: Option<RawFd>,
}

/// Ports as bits: port n is bit n % 64 of the 64-bit word n / 64.
fn bitmap(ports: &[PortRange]) -> Vec<u8> {
    let mut words = vec![0_u64; BITMAP / 8];
    for port in ports.iter().flat_map(|&(first, last)| first..=last) {
        if let Some(word) = words.get_mut(usize::from(port / 64)) {
            *word |= 1 << (port % 64);
        }
    }
    words.into_iter().flat_map(u64::to_ne_bytes).collect()
}

/// The map of what is left alone; none if there is nothing of this family.
fn spared(wanted: &Wanted) -> io::Result<Option<OwnedFd>> {
    let same = |address: &&SocketAddr| address.is_ipv4() == wanted.ip.is_ipv4();
    let keys: Vec<_> = wanted.spared.iter().filter(same).map(key).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    if keys.len() > MAX_SPARED {
        return Err(io::Error::other(format!("more than {MAX_SPARED} backends to be left alone")));
    }
    let map = load::map(Map::Hash, KEY as u32, 4, keys.len() as u32)?;
    for key in keys {
        load::put(map.as_raw_fd(), &key, &[1, 0, 0, 0])?;
    }
    Ok(Some(map))
}

/// As the program puts it together.
fn key(address: &SocketAddr) -> [u8; KEY as usize] {
    let mut key = [0; KEY as usize];
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    key.iter_mut().zip(ip).for_each(|(to, from)| *to = from);
    let port = u32::from(address.port()).to_ne_bytes();
    key.iter_mut().skip(16).zip(port).for_each(|(to, from)| *to = from);
    key
}

/// Whoever leaves early returns 1 with no socket chosen: the kernel goes on as without us.
fn program(ip: IpAddr, given: Given) -> Code {
    let mut code = Assembler::default();
    let (family, field) = match ip {
        IpAddr::V4(_) => (libc::AF_INET, at::LOCAL4),
        IpAddr::V6(_) => (libc::AF_INET6, at::LOCAL6),
    };
    code.copy(R6, R1);
    code.load(Size::Word, R1, R6, at::FAMILY).end_unless(R1, family);
    code.load(Size::Word, R1, R6, at::PROTOCOL).end_unless(R1, TCP);
    let words = address_words(ip);
    if !ip.is_unspecified() {
        for (place, word) in (field..).step_by(4).zip(&words) {
            code.load(Size::Word, R1, R6, place);
            code.set_whole(R2, u64::from(*word)).end_unless_same(R1, R2);
        }
    }
    code.load(Size::Word, R7, R6, at::LOCAL_PORT);
    // The port's bit.
    code.map_value(R1, given.ports).copy(R2, R7).shift(R2, 6).mask(R2, 1023).shift_left(R2, 3);
    code.add_register(R1, R2).load(Size::Double, R1, R1, 0);
    code.copy(R2, R7).mask(R2, 63).shift_by(R1, R2).mask(R1, 1).end_if(R1, 0);
    if let Some(spared) = given.spared {
        leave_alone(&mut code, spared, field, words.len() as i16);
    }
    choose(&mut code, given.sockets);
    Code { name: "sk_lookup", kind: SK_LOOKUP, attach: ON_SK_LOOKUP, instructions: code.finish() }
}

/// Ends the program for what is in the map `spared`; the port is in `R7`.
fn leave_alone(code: &mut Assembler, spared: RawFd, field: i16, words: i16) {
    for word in 0..4 {
        code.put(Size::Word, R10, word * 4 - KEY, 0);
    }
    for word in 0..words {
        code.load(Size::Word, R1, R6, field + word * 4).store(Size::Word, R10, word * 4 - KEY, R1);
    }
    code.store(Size::Word, R10, 16 - KEY, R7);
    code.map(R1, spared).on_stack(R2, -KEY).call(Helper::MapLookup).end_unless(R0, 0);
}

/// Chooses our socket, if it still listens.
fn choose(code: &mut Assembler, sockets: RawFd) {
    code.put(Size::Word, R10, -4, 0);
    code.map(R1, sockets).on_stack(R2, -4).call(Helper::MapLookup).end_if(R0, 0);
    code.copy(R8, R0).copy(R1, R6).copy(R2, R8).set(R3, 0).call(Helper::SocketAssign);
    code.copy(R1, R8).call(Helper::SocketRelease);
}

/// As a word of the context holds them: the bytes of the network in this machine's order.
fn address_words(ip: IpAddr) -> Vec<u32> {
    match ip {
        IpAddr::V4(ip) => vec![u32::from_ne_bytes(ip.octets())],
        IpAddr::V6(ip) => {
            let octets = ip.octets();
            let (words, _) = octets.as_chunks::<4>();
            words.iter().map(|word| u32::from_ne_bytes(*word)).collect()
        }
    }
}

/// In words that say what to do.
fn reason(error: &io::Error) -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            "it needs root, or the capabilities CAP_BPF and CAP_NET_ADMIN of the whole machine"
                .into()
        }
        Some(libc::EINVAL) => {
            format!(
                "this kernel does not know it: it came with Linux 5.9, this is {}",
                release.trim()
            )
        }
        Some(libc::ENOSYS) => "this kernel was built without BPF".into(),
        Some(libc::E2BIG) => "64 of them are attached to this network namespace already".into(),
        _ => words(error),
    }
}

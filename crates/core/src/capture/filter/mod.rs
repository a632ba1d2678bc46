//! Capture filters: BPF expressions as tcpdump takes them, for files and live interfaces.

pub mod bpf;
#[cfg(target_os = "linux")]
mod live;

use self::bpf::Program;
#[cfg(target_os = "linux")]
pub(crate) use self::live::LiveFilter;
use crate::capture::libpcap::Libpcap;
use crate::error::Error;
use crate::packet::{LinkType, Packet};

/// The snap length that cuts nothing (tcpdump's default).
pub(crate) const WHOLE: u32 = 262_144;

const WANTED_FOR: &str = "filters need";

/// Says whether a filter compiles for Ethernet, in libpcap's words where it does not.
pub fn check_filter(filter: &str) -> Result<(), Error> {
    let error = |reason| Error::Filter { filter: filter.to_owned(), reason };
    let libpcap = Libpcap::open(WANTED_FOR).map_err(error)?;
    libpcap.compile(filter, LinkType::ETHERNET, WHOLE).map(drop).map_err(error)
}

/// A filter for packets at hand. Compiled for a link type when the first packet of it comes;
/// a type it cannot be compiled for (`ether host` on raw IP) matches nothing and is a warning.
pub struct FileFilter {
    filter: String,
    libpcap: Libpcap,
    /// One per link type seen; `None` where it has no meaning.
    programs: Vec<(LinkType, Option<Program>)>,
    warnings: Vec<String>,
}

impl FileFilter {
    /// Compiles `filter` for Ethernet first, so that a mistake in it is found at once.
    pub fn new(filter: &str) -> Result<Self, Error> {
        Self::for_link(filter, LinkType::ETHERNET)
    }

    /// The same, with the link type that has to compile.
    pub(crate) fn for_link(filter: &str, link: LinkType) -> Result<Self, Error> {
        let error = |reason| Error::Filter { filter: filter.to_owned(), reason };
        let libpcap = Libpcap::open(WANTED_FOR).map_err(error)?;
        let program = compile(&libpcap, filter, link).map_err(error)?;
        Ok(Self {
            filter: filter.to_owned(),
            libpcap,
            programs: vec![(link, Some(program))],
            warnings: Vec::new(),
        })
    }

    /// Whether the packet passes.
    pub fn matches(&mut self, packet: &Packet<'_>) -> bool {
        let (link, data) = without_family(packet);
        if !self.programs.iter().any(|(known, _)| *known == link) {
            self.add(link);
        }
        self.programs
            .iter()
            .find(|(known, _)| *known == link)
            .and_then(|(_, program)| program.as_ref())
            .is_some_and(|program| program.run(data, packet.wire_len) > 0)
    }

    /// Link types the filter has no meaning for, one line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn add(&mut self, link: LinkType) {
        let program = compile(&self.libpcap, &self.filter, link);
        if let Err(reason) = &program {
            let name = link.name().map_or_else(|| link.0.to_string(), str::to_owned);
            self.warnings.push(format!(
                "filter \"{}\" has no meaning for packets of link type {name}, none of them \
                 pass: {reason}",
                self.filter
            ));
        }
        self.programs.push((link, program.ok()));
    }
}

/// BSD loopback headers hold a number that differs from system to system, in the byte order
/// of the writer; libpcap knows them only where it reads the file itself. Bare IP is the same.
fn without_family<'a>(packet: &Packet<'a>) -> (LinkType, &'a [u8]) {
    // AF_INET, and AF_INET6 of Linux, BSD, FreeBSD, macOS.
    const FAMILIES: [u32; 5] = [2, 10, 24, 28, 30];
    if packet.link != LinkType::NULL && packet.link != LinkType::LOOP {
        return (packet.link, packet.data);
    }
    match packet.data.split_first_chunk() {
        Some((family, rest))
            if FAMILIES.contains(&u32::from_be_bytes(*family))
                || FAMILIES.contains(&u32::from_le_bytes(*family)) =>
        {
            (LinkType::RAW, rest)
        }
        // No IP, and nothing that begins with a small number looks like it.
        _ => (LinkType::RAW, packet.data),
    }
}

fn compile(libpcap: &Libpcap, filter: &str, link: LinkType) -> Result<Program, String> {
    let code = libpcap.compile(filter, link, WHOLE)?;
    Program::new(&code).map_err(|bad| bad.to_string())
}

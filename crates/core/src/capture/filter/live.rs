//! Filters for packet rings: in the kernel where it can have them.

use super::bpf::{Instruction, has_loop};
use super::{FileFilter, WANTED_FOR, WHOLE};
use crate::capture::libpcap::Libpcap;
use crate::error::Error;
use crate::packet::LinkType;

/// A filter for one live interface: a program for the kernel, or one for us where the kernel
/// cannot have it (interface down, header we write ourselves, a loop, too long).
pub(crate) struct LiveFilter {
    /// Always right for the kernel: cuts to the snap length, and filters if it can.
    pub(crate) kernel: Option<Vec<Instruction>>,
    /// Set if the packets that come have to be filtered still.
    pub(crate) own: Option<FileFilter>,
}

/// The most instructions a kernel takes (`BPF_MAXINSNS`).
const KERNEL_MAX: usize = 4096;

impl LiveFilter {
    /// For the interface `name` whose packets have `link`; without a `filter` only the snap
    /// length counts. An active interface of the same kind serves where `name` is down.
    pub(crate) fn new(
        filter: Option<&str>,
        name: &str,
        link: LinkType,
        snaplen: u32,
    ) -> Result<Self, Error> {
        let Some(filter) = filter else {
            return Ok(Self { kernel: cut(snaplen), own: None });
        };
        let error = |reason| Error::Filter { filter: filter.to_owned(), reason };
        let libpcap = Libpcap::open(WANTED_FOR).map_err(error)?;
        // A cooked header is ours: the kernel's filter would see other offsets.
        let names = if link == LinkType::LINUX_SLL { &[][..] } else { &[name, "lo"] };
        let live = names.iter().find_map(|at| libpcap.compile_live(filter, at, link, snaplen));
        // Nobody may open a live handle who has given up the right to; most filters mean the
        // same without one.
        let plain = !names.is_empty() && !needs_live(filter);
        let code = live.or_else(|| plain.then(|| libpcap.compile(filter, link, snaplen)));
        match code {
            Some(Ok(code)) if code.len() <= KERNEL_MAX && !has_loop(&code) => {
                Ok(Self { kernel: Some(code), own: None })
            }
            Some(Err(reason)) => Err(error(reason)),
            _ => {
                let own = FileFilter::for_link(filter, link)?;
                Ok(Self { kernel: cut(snaplen), own: Some(own) })
            }
        }
    }
}

/// Whether the filter asks for what a running kernel knows beside the bytes of a packet: VLAN
/// tags that it took out, and directions.
fn needs_live(filter: &str) -> bool {
    const ASKED: [&str; 4] = ["vlan", "inbound", "outbound", "ifindex"];
    filter.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| ASKED.contains(&word))
}

/// A program that takes everything, cut to `snaplen`.
fn cut(snaplen: u32) -> Option<Vec<Instruction>> {
    const RETURN: u16 = 0x06;
    (snaplen < WHOLE).then(|| vec![Instruction { code: RETURN, jt: 0, jf: 0, k: snaplen }])
}

#[cfg(test)]
mod tests {
    use super::needs_live;

    #[test]
    fn tags_and_directions_are_what_only_a_running_kernel_knows() {
        for filter in ["vlan 7", "tcp and (vlan)", "inbound", "not outbound and udp", "ifindex 3"] {
            assert!(needs_live(filter), "{filter}");
        }
        for filter in
            ["tcp port 80", "host vlan7.example.org", "net 10.0.0.0/8", "ether proto 0x8100"]
        {
            assert!(!needs_live(filter), "{filter}");
        }
    }
}

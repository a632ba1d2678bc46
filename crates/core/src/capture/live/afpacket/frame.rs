//! Frames as they lie in a block of the ring: found, and their stripped headers put back.

use std::ffi::c_int;
use std::mem::offset_of;

use libc::{sockaddr_ll, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket3_hdr};

use crate::packet::{LinkType, Nanos};

/// The frame's `sockaddr_ll` follows its header, aligned to 16 bytes.
const ADDRESS: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// What lies in front of a frame may be overwritten from here on.
const FREE: usize = ADDRESS + size_of::<sockaddr_ll>();
/// Length of both MAC addresses: where a VLAN tag belongs in an Ethernet frame.
const MACS: usize = 12;
const TAG: usize = 4;
/// Length of the Linux cooked header, version 1.
const SLL: usize = 16;

/// How frames of an interface are framed for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Whole Ethernet frames (loopback has them too).
    Ethernet,
    /// IP without a link header: TUN, `WireGuard`, IP tunnels.
    Ip,
    /// Whole frames of a link type that is only recorded and counted.
    Other(LinkType),
    /// Anything else: a Linux cooked header that we write, and the network layer's bytes.
    Cooked,
}

impl Framing {
    /// The framing for a hardware type (`ARPHRD_*` of `linux/if_arp.h`).
    pub(crate) fn of(hardware: u16) -> Self {
        const RAWIP: u16 = 519;
        const IP6GRE: u16 = 823;
        match hardware {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Self::Ethernet,
            libc::ARPHRD_NONE
            | libc::ARPHRD_TUNNEL
            | libc::ARPHRD_TUNNEL6
            | libc::ARPHRD_SIT
            | libc::ARPHRD_IPGRE
            | libc::ARPHRD_PPP
            | RAWIP
            | IP6GRE => Self::Ip,
            libc::ARPHRD_IEEE80211 => Self::Other(LinkType(105)),
            libc::ARPHRD_IEEE80211_PRISM => Self::Other(LinkType(119)),
            libc::ARPHRD_IEEE80211_RADIOTAP => Self::Other(LinkType(127)),
            _ => Self::Cooked,
        }
    }

    /// What the bytes we hand out start with.
    pub(crate) fn link(self) -> LinkType {
        match self {
            Self::Ethernet => LinkType::ETHERNET,
            Self::Ip => LinkType::RAW,
            Self::Other(link) => link,
            Self::Cooked => LinkType::LINUX_SLL,
        }
    }

    pub(crate) fn socket_kind(self) -> c_int {
        match self {
            Self::Ethernet | Self::Other(_) => libc::SOCK_RAW,
            Self::Ip | Self::Cooked => libc::SOCK_DGRAM,
        }
    }
}

/// Number of packets in a block and the offset of the first.
pub(super) fn block_header(block: &[u8]) -> (u32, u32) {
    let header = offset_of!(libc::tpacket_block_desc, hdr);
    let field = |offset| u32_at(block, header + offset).unwrap_or(0);
    (
        field(offset_of!(tpacket_hdr_v1, num_pkts)),
        field(offset_of!(tpacket_hdr_v1, offset_to_first_pkt)),
    )
}

/// Bytes from the frame at `at` to the next one; 0 for the last.
pub(super) fn next_offset(block: &[u8], at: u32) -> u32 {
    u32_at(block, at as usize + offset_of!(tpacket3_hdr, tp_next_offset)).unwrap_or(0)
}

/// When the frame at `at` was seen; `None` when that lies outside of the block.
pub(super) fn timestamp(block: &[u8], at: u32) -> Option<Nanos> {
    let at = at as usize;
    let seconds = u32_at(block, at + offset_of!(tpacket3_hdr, tp_sec))?;
    let nanos = u32_at(block, at + offset_of!(tpacket3_hdr, tp_nsec))?;
    Some(i64::from(seconds) * 1_000_000_000 + i64::from(nanos))
}

/// Start, length and wire length of the frame at `at`, after its VLAN tag or cooked header
/// was written in front. `None` for one to skip.
pub(super) fn parse(
    block: &mut [u8],
    at: u32,
    framing: Framing,
    skip_outgoing: bool,
) -> Option<(u32, u32, u32)> {
    let frame = block.get_mut(at as usize..)?;
    let wire_len = u32_at(frame, offset_of!(tpacket3_hdr, tp_len))?;
    let captured = u32_at(frame, offset_of!(tpacket3_hdr, tp_snaplen))? as usize;
    let start = u16_at(frame, offset_of!(tpacket3_hdr, tp_mac))? as usize;
    let packet_type = *frame.get(ADDRESS + offset_of!(sockaddr_ll, sll_pkttype))?;
    if skip_outgoing && packet_type == libc::PACKET_OUTGOING {
        return None;
    }
    let end = start.checked_add(captured).filter(|&end| end <= frame.len())?;
    let tag = vlan_tag(frame);
    let start = match framing {
        Framing::Ethernet => tag.map_or(Some(start), |tag| put_tag(frame, start, end, tag))?,
        Framing::Cooked => put_cooked(frame, start, tag)?,
        Framing::Ip | Framing::Other(_) => start,
    };
    let len = (end - start) as u32;
    let added = len - captured as u32;
    Some((at.checked_add(start as u32)?, len, wire_len.saturating_add(added)))
}

/// The tag (protocol and TCI, network order) that the kernel took out of the frame, if any.
fn vlan_tag(frame: &[u8]) -> Option<[u8; TAG]> {
    const ETH_P_8021Q: u16 = 0x8100;
    let status = u32_at(frame, offset_of!(tpacket3_hdr, tp_status))?;
    if status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let header = offset_of!(tpacket3_hdr, hv1);
    let tci = u32_at(frame, header + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))? as u16;
    let tpid = match status & libc::TP_STATUS_VLAN_TPID_VALID {
        0 => ETH_P_8021Q,
        _ => u16_at(frame, header + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?,
    };
    let ([a, b], [c, d]) = (tpid.to_be_bytes(), tci.to_be_bytes());
    Some([a, b, c, d])
}

/// Moves the MAC addresses forward and writes the tag behind them.
fn put_tag(frame: &mut [u8], start: usize, end: usize, tag: [u8; TAG]) -> Option<usize> {
    if end - start < MACS {
        return Some(start);
    }
    let new = start.checked_sub(TAG).filter(|&new| new >= FREE)?;
    frame.copy_within(start..start + MACS, new);
    frame.get_mut(new + MACS..start + MACS)?.copy_from_slice(&tag);
    Some(new)
}

/// Writes a Linux cooked header (`LINKTYPE_LINUX_SLL`), and behind it the rest of a VLAN header.
fn put_cooked(frame: &mut [u8], start: usize, tag: Option<[u8; TAG]>) -> Option<usize> {
    let field = |offset, len| frame.get(ADDRESS + offset..ADDRESS + offset + len);
    let packet_type = *field(offset_of!(sockaddr_ll, sll_pkttype), 1)?.first()?;
    let hardware = u16_at(frame, ADDRESS + offset_of!(sockaddr_ll, sll_hatype))?;
    let address_len = *field(offset_of!(sockaddr_ll, sll_halen), 1)?.first()?;
    let address: [u8; 8] = field(offset_of!(sockaddr_ll, sll_addr), 8)?.try_into().ok()?;
    let protocol: [u8; 2] = field(offset_of!(sockaddr_ll, sll_protocol), 2)?.try_into().ok()?;
    let (tpid, rest) = match tag {
        Some([a, b, c, d]) => ([a, b], Some([c, d, protocol[0], protocol[1]])),
        None => (protocol, None),
    };
    let mut header = [0_u8; SLL + TAG];
    let fields = [
        &u16::from(packet_type).to_be_bytes()[..],
        &hardware.to_be_bytes(),
        &u16::from(address_len).to_be_bytes(),
        &address,
        &tpid,
        &rest.unwrap_or_default(),
    ];
    for (to, from) in header.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    let len = if rest.is_some() { SLL + TAG } else { SLL };
    let new = start.checked_sub(len).filter(|&new| new >= FREE)?;
    frame.get_mut(new..start)?.copy_from_slice(header.get(..len)?);
    Some(new)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

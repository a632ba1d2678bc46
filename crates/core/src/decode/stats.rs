//! What could not be decoded, or only with reservations, counted by kind.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::names;

/// What a kind of counter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A header contradicts itself or its surroundings.
    Malformed,
    /// Well-formed as far as we know, but nothing that holds connections, or not known to us.
    Unknown,
    /// The capture, or a bound of ours, ended before the packet did.
    Cut,
}

/// The kinds that are known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    EthernetShort,
    EthernetLength,
    VlanShort,
    LlcShort,
    CookedShort,
    LoopbackShort,
    PppShort,
    MplsShort,
    IpEmpty,
    IpVersion,
    Ip4Short,
    Ip4HeaderLength,
    Ip4TotalLength,
    Ip4Beyond,
    Ip4Checksum,
    Ip6Short,
    Ip6Beyond,
    ExtensionShort,
    ExtensionMany,
    TcpShort,
    TcpOffset,
    UdpShort,
    UdpLength,
    UdpBeyond,
    IcmpShort,
    SctpShort,
    DccpShort,
    GreShort,
    ErspanShort,
    FragmentLength,
    FragmentOversize,
    FragmentConflict,
    FragmentOverlap,
    Arp,
    GreVersion,
    MplsPayload,
    PppoeCode,
    Netlink,
    UnknownOther,
    LinkCut,
    NetworkCut,
    TransportCut,
    TunnelDepth,
    FragmentUnfinished,
    FragmentEvicted,
    FragmentPieces,
}

/// Every [`Kind`] in its own order, with its name and class.
const KINDS: [(Kind, &str, Class); 46] = [
    (Kind::EthernetShort, "ethernet header short", Class::Malformed),
    (Kind::EthernetLength, "ethernet length", Class::Malformed),
    (Kind::VlanShort, "vlan tag short", Class::Malformed),
    (Kind::LlcShort, "llc header short", Class::Malformed),
    (Kind::CookedShort, "cooked header short", Class::Malformed),
    (Kind::LoopbackShort, "loopback header short", Class::Malformed),
    (Kind::PppShort, "ppp header short", Class::Malformed),
    (Kind::MplsShort, "mpls label short", Class::Malformed),
    (Kind::IpEmpty, "ip packet empty", Class::Malformed),
    (Kind::IpVersion, "ip version", Class::Malformed),
    (Kind::Ip4Short, "ip4 header short", Class::Malformed),
    (Kind::Ip4HeaderLength, "ip4 header length", Class::Malformed),
    (Kind::Ip4TotalLength, "ip4 total length", Class::Malformed),
    (Kind::Ip4Beyond, "ip4 longer than frame", Class::Malformed),
    (Kind::Ip4Checksum, "ip4 checksum", Class::Malformed),
    (Kind::Ip6Short, "ip6 header short", Class::Malformed),
    (Kind::Ip6Beyond, "ip6 longer than frame", Class::Malformed),
    (Kind::ExtensionShort, "ip extension header short", Class::Malformed),
    (Kind::ExtensionMany, "ip extension headers too many", Class::Malformed),
    (Kind::TcpShort, "tcp header short", Class::Malformed),
    (Kind::TcpOffset, "tcp data offset", Class::Malformed),
    (Kind::UdpShort, "udp header short", Class::Malformed),
    (Kind::UdpLength, "udp length", Class::Malformed),
    (Kind::UdpBeyond, "udp longer than ip", Class::Malformed),
    (Kind::IcmpShort, "icmp header short", Class::Malformed),
    (Kind::SctpShort, "sctp header short", Class::Malformed),
    (Kind::DccpShort, "dccp header short", Class::Malformed),
    (Kind::GreShort, "gre header short", Class::Malformed),
    (Kind::ErspanShort, "erspan header short", Class::Malformed),
    (Kind::FragmentLength, "fragment length", Class::Malformed),
    (Kind::FragmentOversize, "fragment past 65535", Class::Malformed),
    (Kind::FragmentConflict, "fragment past end", Class::Malformed),
    (Kind::FragmentOverlap, "fragment overlap", Class::Malformed),
    (Kind::Arp, "arp", Class::Unknown),
    (Kind::GreVersion, "gre version", Class::Unknown),
    (Kind::MplsPayload, "mpls payload", Class::Unknown),
    (Kind::PppoeCode, "pppoe code", Class::Unknown),
    (Kind::Netlink, "netlink", Class::Unknown),
    (Kind::UnknownOther, "other unknown", Class::Unknown),
    (Kind::LinkCut, "link header cut", Class::Cut),
    (Kind::NetworkCut, "network header cut", Class::Cut),
    (Kind::TransportCut, "transport header cut", Class::Cut),
    (Kind::TunnelDepth, "tunnels too deep", Class::Cut),
    (Kind::FragmentUnfinished, "fragments unfinished", Class::Cut),
    (Kind::FragmentEvicted, "fragments evicted", Class::Cut),
    (Kind::FragmentPieces, "fragments too many", Class::Cut),
];

/// How many invented numbers are kept apart before they share one counter.
const MAX_NUMBERS: usize = 64;

/// A number of a protocol that is not decoded. Ordered, so that reports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Number {
    /// A link type.
    Link(u16),
    /// An `EtherType`.
    Ethertype(u16),
    /// An LLC destination service access point.
    Sap(u8),
    /// A SNAP organisation and its protocol.
    Snap(u32, u16),
    /// A PPP protocol.
    Ppp(u16),
    /// An address family in a loopback header.
    Family(u32),
}

/// Counters by kind. Each counts IP packets or frames, once per kind.
#[derive(Clone, Debug)]
pub struct DecodeStats {
    kinds: [u64; KINDS.len()],
    numbers: BTreeMap<Number, u64>,
}

impl Default for DecodeStats {
    fn default() -> Self {
        Self { kinds: [0; KINDS.len()], numbers: BTreeMap::new() }
    }
}

impl DecodeStats {
    /// Names and counts of what occurred: the malformed first, then the unknown, then the
    /// cut; the order and the names are the same on every run, and no name comes twice.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'static, str>, u64)> {
        self.classified().map(|(name, _, count)| (name, count))
    }

    /// How much of a class occurred.
    pub fn total(&self, class: Class) -> u64 {
        self.classified().filter(|&(_, of, _)| of == class).map(|(_, _, count)| count).sum()
    }

    /// The same as [`Self::iter`], with what each kind means.
    pub fn classified(&self) -> impl Iterator<Item = (Cow<'static, str>, Class, u64)> {
        let of = |wanted| {
            KINDS.iter().zip(&self.kinds).filter_map(move |(&(_, name, class), &count)| {
                (class == wanted && count > 0).then_some((Cow::Borrowed(name), class, count))
            })
        };
        let numbers = self.numbers.iter();
        let numbers = numbers.map(|(&number, &count)| (names::of(number), Class::Unknown, count));
        of(Class::Malformed).chain(of(Class::Unknown)).chain(numbers).chain(of(Class::Cut))
    }

    /// One more of `kind`.
    pub(super) fn count(&mut self, kind: Kind) {
        self.add(kind, 1);
    }

    /// Some more of `kind`.
    #[cold]
    pub(super) fn add(&mut self, kind: Kind, count: u64) {
        if let Some(counter) = self.kinds.get_mut(kind as usize) {
            *counter += count;
        }
    }

    /// One more of a number. Those with a name always have a place; of others, so many.
    #[cold]
    pub(super) fn number(&mut self, number: Number) {
        if let Some(counter) = self.numbers.get_mut(&number) {
            *counter += 1;
        } else if self.numbers.len() < MAX_NUMBERS || names::known(number).is_some() {
            self.numbers.insert(number, 1);
        } else {
            self.count(Kind::UnknownOther);
        }
    }
}

/// The counters of every interface that packets came from.
#[derive(Debug, Default)]
pub(super) struct StatsByInterface {
    /// Those of the first interface, and of packets from nowhere.
    first: DecodeStats,
    others: Vec<DecodeStats>,
}

impl StatsByInterface {
    /// An interface's counters.
    pub(super) fn of(&self, iface: u16) -> &DecodeStats {
        static NOTHING: DecodeStats =
            DecodeStats { kinds: [0; KINDS.len()], numbers: BTreeMap::new() };
        match iface.checked_sub(1) {
            None => &self.first,
            Some(index) => self.others.get(usize::from(index)).unwrap_or(&NOTHING),
        }
    }

    /// An interface's counters, made when it first appears.
    #[inline]
    pub(super) fn of_mut(&mut self, iface: u16) -> &mut DecodeStats {
        let Some(index) = iface.checked_sub(1).map(usize::from) else {
            return &mut self.first;
        };
        if index >= self.others.len() {
            self.others.resize_with(index + 1, DecodeStats::default);
        }
        self.others.get_mut(index).unwrap_or(&mut self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stand_in_their_own_order() {
        for (index, (kind, ..)) in KINDS.iter().enumerate() {
            assert_eq!(*kind as usize, index);
        }
    }

    #[test]
    fn no_name_comes_twice() {
        let mut stats = DecodeStats { kinds: [1; KINDS.len()], numbers: BTreeMap::new() };
        for number in 0..=u16::MAX {
            stats.numbers.insert(Number::Ethertype(number), 1);
            stats.numbers.insert(Number::Ppp(number), 1);
            stats.numbers.insert(Number::Sap(number as u8), 1);
        }
        stats.numbers.insert(Number::Snap(0x0c, 0x2000), 1);
        stats.numbers.insert(Number::Snap(0x0c, 0x2001), 1);
        stats.numbers.insert(Number::Family(7), 1);
        // 12 and 14 are other numbers of RAW, which is decoded.
        for link in (0..300).filter(|link| ![12, 14].contains(link)) {
            stats.numbers.insert(Number::Link(link), 1);
        }
        let mut names: Vec<_> = stats.iter().map(|(name, _)| name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn invented_numbers_are_bounded_and_never_lost() {
        let mut stats = DecodeStats::default();
        for number in 0x1000..0x2000 {
            stats.number(Number::Ethertype(number));
        }
        stats.number(Number::Ethertype(0x88cc));
        assert_eq!(stats.numbers.len(), MAX_NUMBERS + 1);
        assert_eq!(stats.total(Class::Unknown), 0x1001);
        assert!(stats.iter().any(|(name, count)| name == "lldp" && count == 1));
    }
}

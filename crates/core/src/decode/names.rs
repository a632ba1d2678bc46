//! Names of the protocols that are counted but not decoded.

use std::borrow::Cow;

use super::stats::Number;
use crate::packet::LinkType;

/// What a number is called: its name, or the number itself.
pub(super) fn of(number: Number) -> Cow<'static, str> {
    if let (Some(name), false) = (known(number), matches!(number, Number::Link(_))) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(match number {
        Number::Link(link) => match LinkType(link).name() {
            // Ranges of link types share a name; their number tells them apart.
            Some(name @ "USER") => format!("link type {name} {link}"),
            Some(name) => format!("link type {name}"),
            None => format!("link type {link}"),
        },
        Number::Ethertype(kind) => format!("ethertype 0x{kind:04x}"),
        Number::Sap(sap) => format!("llc sap 0x{sap:02x}"),
        Number::Snap(organisation, protocol) => format!("snap {organisation:06x} 0x{protocol:04x}"),
        Number::Ppp(protocol) => format!("ppp 0x{protocol:04x}"),
        Number::Family(family) => format!("loopback family {family}"),
    })
}

/// The name of a number that has one.
pub(super) fn known(number: Number) -> Option<&'static str> {
    match number {
        Number::Link(link) => LinkType(link).name(),
        Number::Ethertype(kind) => ethertype(kind),
        Number::Sap(sap) => service_access_point(sap),
        Number::Snap(0x00_000c, 0x2000) => Some("cdp"),
        Number::Snap(0x00_000c, 0x2004) => Some("dtp"),
        Number::Snap(0x00_000c, 0x010b) => Some("pvst+"),
        Number::Snap(..) | Number::Family(_) => None,
        Number::Ppp(protocol) => ppp(protocol),
    }
}

/// `EtherTypes`, <https://www.iana.org/assignments/ieee-802-numbers>.
fn ethertype(kind: u16) -> Option<&'static str> {
    Some(match kind {
        0x0842 => "wake-on-lan",
        0x4305 => "batman",
        0x6003 => "decnet",
        0x8035 => "rarp",
        0x809b => "appletalk",
        0x80f3 => "appletalk arp",
        0x8137 => "ipx",
        0x8808 => "ethernet flow control",
        0x8809 => "slow protocols",
        0x8863 => "pppoe discovery",
        0x887b => "homeplug",
        0x888e => "eapol",
        0x8892 => "profinet",
        0x88a2 => "ata over ethernet",
        0x88a4 => "ethercat",
        0x88b8 => "goose",
        0x88cc => "lldp",
        0x88e1 => "homeplug av",
        0x88e5 => "macsec",
        0x88f7 => "ptp",
        0x8902 => "cfm",
        0x8906 => "fcoe",
        0x8914 => "fcoe initialization",
        0x9000 => "ethernet loopback",
        _ => return None,
    })
}

/// LLC service access points (IEEE 802.2).
fn service_access_point(sap: u8) -> Option<&'static str> {
    Some(match sap {
        0x42 => "stp",
        0xe0 => "llc ipx",
        0xf0 => "llc netbios",
        0xfe => "llc osi",
        0xff => "novell raw ipx",
        _ => return None,
    })
}

/// PPP protocols, <https://www.iana.org/assignments/ppp-numbers>.
fn ppp(protocol: u16) -> Option<&'static str> {
    Some(match protocol {
        0x002d => "ppp vj compressed",
        0x003d => "ppp multilink",
        0x00fd => "ppp compressed",
        0x8021 => "ppp ipcp",
        0x8057 => "ppp ipv6cp",
        0x80fd => "ppp ccp",
        0xc021 => "ppp lcp",
        0xc023 => "ppp pap",
        0xc025 => "ppp lqr",
        0xc223 => "ppp chap",
        _ => return None,
    })
}

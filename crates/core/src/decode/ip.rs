//! IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200).

use super::address::{as_ipv4, mapped};
use super::checksum::Sum;
use super::decoder::{Head, Route, Walk};
use super::stats::Kind;
use super::view::View;
use super::{Decoded, Fragment, Transport};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;

/// What tells a fragment of IPv4: its offset, and that more follow.
const PLACE: u16 = 0x3fff;

/// Extension headers of one packet, at most. Each needs only 8 bytes, so without a bound a
/// packet could keep us busy; real ones have two or three.
const MAX_EXTENSIONS: u8 = 16;

impl<'a> Walk<'_, 'a> {
    /// IP of the version that its first nibble says.
    pub(super) fn ip(&mut self, view: View<'a>) {
        match view.data.first().map(|byte| byte >> 4) {
            None => self.short(view, 1, Kind::IpEmpty, Kind::NetworkCut),
            Some(4) => self.ip4(view),
            Some(6) => self.ip6(view),
            Some(_) => self.stats.count(Kind::IpVersion),
        }
    }

    /// IPv4. A length of 0 is that of a packet the network card has yet to cut up.
    #[inline]
    pub(super) fn ip4(&mut self, view: View<'a>) {
        let Some(bytes) = view.head::<20>() else {
            return self.short(view, 20, Kind::Ip4Short, Kind::NetworkCut);
        };
        let &[first, _, l0, l1, i0, i1, f0, f1, ttl, proto, _, _, s0, s1, s2, s3, d0, d1, d2, d3] =
            bytes;
        let size = usize::from(first & 15) * 4;
        let total = u32::from(u16::from_be_bytes([l0, l1]));
        let total = if total == 0 { view.wire } else { total };
        if let Some(kind) = ip4_flaw(first, total) {
            return self.stats.count(kind);
        }
        if total > view.wire {
            self.stats.count(Kind::Ip4Beyond);
        }
        let view = view.limit(total);
        if view.data.len() < size {
            return self.short(view, size, Kind::Ip4Short, Kind::NetworkCut);
        }
        if self.verify && !self.ip4_intact(view, size) {
            return self.stats.count(Kind::Ip4Checksum);
        }
        let (src, dst) = (mapped([s0, s1, s2, s3]), mapped([d0, d1, d2, d3]));
        let head = Head { src, dst, proto, ttl, packets: 1, ip_bytes: view.wire };
        let place = u16::from_be_bytes([f0, f1]);
        if place & PLACE == 0 {
            return self.payload(head, view.skip(size));
        }
        let id = u32::from(u16::from_be_bytes([i0, i1]));
        self.piece(&head, id, u32::from(place & 0x1fff) * 8, place & 0x2000 != 0, view.skip(size));
    }

    #[cold]
    fn ip4_intact(&mut self, view: View<'a>, size: usize) -> bool {
        self.route = Route::default();
        Sum::default().add(view.limit(size as u32).data).is_right()
    }

    /// A piece of an IP packet.
    #[cold]
    fn piece(&mut self, head: &Head, id: u32, offset: u32, more: bool, view: View<'a>) {
        let mut head = self.segment(head, [0; 2], Transport::Other, view);
        head.payload = &[];
        self.out.push(Decoded::Fragment(Fragment { head, id, offset, more, data: view.data }));
    }

    /// IPv6.
    pub(super) fn ip6(&mut self, view: View<'a>) {
        let Some(bytes) = view.head::<40>() else {
            return self.short(view, 40, Kind::Ip6Short, Kind::NetworkCut);
        };
        let &[first, _, _, _, l0, l1, next, limit, ref addresses @ ..] = bytes;
        if first >> 4 != 6 {
            return self.stats.count(Kind::IpVersion);
        }
        let (Some(&src), Some(&dst)) = (addresses.first_chunk(), addresses.last_chunk()) else {
            return;
        };
        let rest = view.skip(40);
        let length = match u16::from_be_bytes([l0, l1]) {
            0 => jumbo_length(next, rest),
            length => u32::from(length),
        };
        if length > rest.wire {
            self.stats.count(Kind::Ip6Beyond);
        }
        let rest = rest.limit(length);
        if self.verify {
            self.route = Route::default();
        }
        self.payload(
            Head { src, dst, proto: next, ttl: limit, packets: 1, ip_bytes: rest.wire + 40 },
            rest,
        );
    }

    /// What IP carries: `head.proto` says what comes first, extension headers included.
    #[inline]
    pub(super) fn payload(&mut self, head: Head, view: View<'a>) {
        match head.proto {
            HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY => {
                self.extensions(head, view);
            }
            _ => self.transport(&head, view),
        }
    }

    #[inline(never)]
    fn extensions(&mut self, mut head: Head, mut view: View<'a>) {
        let ip6 = as_ipv4(&head.src).is_none() || as_ipv4(&head.dst).is_none();
        for _ in 0..MAX_EXTENSIONS {
            if ip6 && head.proto == FRAGMENT && !self.fragment_header(head, view) {
                return;
            }
            let Some(size) = extension_size(head.proto, ip6, view.data) else {
                return self.transport(&head, view);
            };
            let (Some(&next), true) = (view.data.first(), view.data.len() >= size) else {
                return self.short(view, size, Kind::ExtensionShort, Kind::NetworkCut);
            };
            if self.verify {
                self.remember_route(head.proto, view.limit(size as u32).data);
            }
            head.proto = next;
            view = view.skip(size);
        }
        self.stats.count(Kind::ExtensionMany);
    }

    /// The fragment header. True when the packet goes on behind it: it is the only piece
    /// (RFC 6946), or no whole header is there.
    fn fragment_header(&mut self, mut head: Head, view: View<'a>) -> bool {
        let Some(&[next, _, o0, o1, i0, i1, i2, i3]) = view.head::<8>() else {
            return true;
        };
        let place = u16::from_be_bytes([o0, o1]);
        if place & 0xfff9 == 0 {
            return true;
        }
        head.proto = next;
        let id = u32::from_be_bytes([i0, i1, i2, i3]);
        self.piece(&head, id, u32::from(place & 0xfff8), place & 1 == 1, view.skip(8));
        false
    }

    /// Notes the addresses that checksums are made with: the last stop of a source route
    /// (RFC 8200 section 4.4, RFC 6275 section 6.4, RFC 8754) and the home address option.
    #[cold]
    fn remember_route(&mut self, proto: u8, header: &[u8]) {
        match (proto, header) {
            (ROUTING, [_, _, 0 | 2, left, _, _, _, _, stops @ ..]) if *left > 0 => {
                self.route.dst = stops.last_chunk().copied();
            }
            (ROUTING, [_, _, 4, left, _, _, _, _, stops @ ..]) if *left > 0 => {
                self.route.dst = stops.first_chunk().copied();
            }
            (DESTINATION, [_, _, options @ ..]) => {
                if let Some(home) = option(options, 0xc9).and_then(<[u8]>::first_chunk) {
                    self.route.src = Some(*home);
                }
            }
            _ => {}
        }
    }
}

/// How long the extension header is that `data` starts with, 8 when that is cut off; `None`
/// when `proto` is none, or mobility at the end of the chain, as far as is defined its only
/// place (RFC 6275 section 6.1.1).
fn extension_size(proto: u8, ip6: bool, data: &[u8]) -> Option<usize> {
    let (next, length) = match *data {
        [next, length, ..] => (next, usize::from(length)),
        _ => (0, 0),
    };
    match proto {
        AUTHENTICATION => Some((length + 2) * 4),
        FRAGMENT if ip6 => Some(8),
        HOP_BY_HOP | ROUTING | DESTINATION if ip6 => Some((length + 1) * 8),
        MOBILITY if ip6 && next != NO_NEXT_HEADER => Some((length + 1) * 8),
        _ => None,
    }
}

/// What is wrong with an IPv4 header that says this.
#[inline]
fn ip4_flaw(first: u8, total: u32) -> Option<Kind> {
    if first >> 4 != 4 {
        Some(Kind::IpVersion)
    } else if first & 15 < 5 {
        Some(Kind::Ip4HeaderLength)
    } else if total < u32::from(first & 15) * 4 {
        Some(Kind::Ip4TotalLength)
    } else {
        None
    }
}

/// The payload's length when the header says 0: that of the jumbo payload option (RFC 2675),
/// or, as Linux sends since it leaves the option out, simply what is there if it is too much.
#[cold]
fn jumbo_length(next: u8, rest: View<'_>) -> u32 {
    let options = match rest.data {
        [_, length, options @ ..] if next == HOP_BY_HOP => {
            options.get(..usize::from(*length) * 8 + 6).unwrap_or(options)
        }
        _ => &[],
    };
    match option(options, 0xc2).and_then(<[u8]>::first_chunk) {
        Some(length) => u32::from_be_bytes(*length),
        None if rest.wire > u32::from(u16::MAX) => rest.wire,
        None => 0,
    }
}

/// The value of the first option of a kind.
fn option(mut options: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        match options {
            [0, rest @ ..] => options = rest,
            [kind, length, rest @ ..] => {
                let (value, rest) = rest.split_at_checked(usize::from(*length))?;
                if *kind == wanted {
                    return Some(value);
                }
                options = rest;
            }
            _ => return None,
        }
    }
}

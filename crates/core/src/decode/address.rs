//! Addresses of both IP versions in one form.

/// An IPv6 address, or an IPv4 one mapped into it (`::ffff:a.b.c.d`, RFC 4291).
pub type Address = [u8; 16];

/// An IPv4 address mapped into IPv6. Real IPv6 packets that bear such addresses (none should)
/// cannot be told apart from IPv4 ones.
#[inline]
pub fn mapped([a, b, c, d]: [u8; 4]) -> Address {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}

/// The four bytes of an IPv4 address, if it is one.
#[inline]
pub fn as_ipv4(address: &Address) -> Option<[u8; 4]> {
    match address {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] => Some([*a, *b, *c, *d]),
        _ => None,
    }
}

/// Whether what goes to this address goes to many (RFC 4291, section 2.7; RFC 1112; the limited
/// broadcast of RFC 919).
pub fn is_multicast(address: &Address) -> bool {
    address.first() == Some(&0xff) || as_ipv4(address).is_some_and(|[first, ..]| first >= 224)
}

/// Whether this is an address that only a local network knows: private, link-local or unique local
/// (RFC 1918, RFC 3927, RFC 4291 section 2.5.6, RFC 4193).
pub fn is_local(address: &Address) -> bool {
    match as_ipv4(address) {
        Some(four) => {
            matches!(four, [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [169, 254, ..])
        }
        None => matches!(address, [0xfe, 0x80..=0xbf, ..] | [0xfc | 0xfd, ..]),
    }
}

//! Builders of headers, with nothing of the code under test in them.

pub(super) const A4: [u8; 4] = [192, 0, 2, 1];
pub(super) const B4: [u8; 4] = [198, 51, 100, 2];
pub(super) const A6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub(super) const B6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/// An IPv4 address as an IPv6 one.
pub(super) fn mapped(address: [u8; 4]) -> [u8; 16] {
    let mut mapped = [0; 16];
    mapped[10..12].fill(0xff);
    mapped[12..].copy_from_slice(&address);
    mapped
}

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(super) fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 2], &[2, 0, 0, 0, 0, 1], &kind.to_be_bytes(), payload])
}

pub(super) fn ip4(proto: u8, payload: &[u8]) -> Vec<u8> {
    ip4_piece(proto, 0, 0, payload)
}

/// With the field that holds flags and offset.
pub(super) fn ip4_piece(proto: u8, id: u16, place: u16, payload: &[u8]) -> Vec<u8> {
    let (length, id, place) =
        ((payload.len() as u16 + 20).to_be_bytes(), id.to_be_bytes(), place.to_be_bytes());
    let mut header = join(&[&[0x45, 0], &length, &id, &place, &[64, proto, 0, 0], &A4, &B4]);
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    join(&[&header, payload])
}

pub(super) fn ip6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    join(&[&[0x60, 0, 0, 0], &length, &[next, 63], &A6, &B6, payload])
}

/// Port 40000 to 443, sequence number 1, acknowledgement 2, PSH and ACK, window 512.
pub(super) fn tcp(payload: &[u8]) -> Vec<u8> {
    join(&[
        &[0x9c, 0x40, 1, 0xbb],
        &[0, 0, 0, 1],
        &[0, 0, 0, 2],
        &[0x50, 0x18, 2, 0],
        &[0; 4],
        payload,
    ])
}

/// Port 40000 to `port`.
pub(super) fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 8).to_be_bytes();
    join(&[&[0x9c, 0x40], &port.to_be_bytes(), &length, &[0, 0], payload])
}

/// Type and code, identifier 7, sequence number 9.
pub(super) fn icmp(kind: u8, code: u8, payload: &[u8]) -> Vec<u8> {
    join(&[&[kind, code, 0, 0, 0, 7, 0, 9], payload])
}

/// RFC 1071, as its section 4.1 writes it down.
pub(super) fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        }
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

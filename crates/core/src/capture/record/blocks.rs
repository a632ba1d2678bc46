//! Writing pcapng: one function per block, little-endian, times in nanoseconds.

use crate::packet::{LinkType, Nanos};

/// Bytes of a packet block without its packet.
pub(super) const PACKET_HEAD: usize = 32;

const PADDING: [u8; 3] = [0; 3];

/// Begins a section.
pub(super) fn section(out: &mut Vec<u8>) {
    block(out, 0x0a0d_0d0a, |out| {
        out.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        out.extend_from_slice(&[1, 0, 0, 0]);
        // The section's length is not known beforehand.
        out.extend_from_slice(&(-1_i64).to_le_bytes());
        option(out, 4, concat!("Tidegate ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(out, 0, &[]);
    });
}

/// Describes the section's next interface.
pub(super) fn interface(out: &mut Vec<u8>, name: &str, link: LinkType, snaplen: u32) {
    block(out, 1, |out| {
        out.extend_from_slice(&link.0.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&snaplen.to_le_bytes());
        option(out, 2, name.as_bytes());
        option(out, 9, &[9]);
        option(out, 0, &[]);
    });
}

/// Writes a packet; a time before 1970 cannot be written and becomes 1970.
pub(super) fn packet(out: &mut Vec<u8>, interface: u32, ts: Nanos, wire_len: u32, data: &[u8]) {
    block(out, 6, |out| {
        out.extend_from_slice(&interface.to_le_bytes());
        time(out, ts);
        out.extend_from_slice(&(data.len() as u32).to_le_bytes());
        out.extend_from_slice(&wire_len.to_le_bytes());
        out.extend_from_slice(data);
        pad(out, data.len());
    });
}

/// Says how many packets the system lost on an interface since the capture began.
pub(super) fn statistics(out: &mut Vec<u8>, interface: u32, ts: Nanos, lost: u64) {
    block(out, 5, |out| {
        out.extend_from_slice(&interface.to_le_bytes());
        time(out, ts);
        option(out, 7, &lost.to_le_bytes());
        option(out, 0, &[]);
    });
}

/// Writes a block around a body, whose length both ends bear.
#[inline]
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = ((out.len() - start + 4) as u32).to_le_bytes();
    if let Some(field) = out.get_mut(start + 4..start + 8) {
        field.copy_from_slice(&length);
    }
    out.extend_from_slice(&length);
}

/// A time as its upper and its lower half.
#[inline]
fn time(out: &mut Vec<u8>, ts: Nanos) {
    let ts = ts.max(0) as u64;
    out.extend_from_slice(&((ts >> 32) as u32).to_le_bytes());
    out.extend_from_slice(&(ts as u32).to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out, value.len());
}

#[inline]
fn pad(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(PADDING.get(..length.next_multiple_of(4) - length).unwrap_or_default());
}

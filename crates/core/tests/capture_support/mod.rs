//! Helpers of the capture tests: a reader that keeps everything, a pcapng writer of any shape.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::{Polled, Source, SourceStats};
use tidegate_core::{Error, Packet};

/// A packet that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub ts: i64,
    pub iface: u16,
    pub link: u16,
    pub wire_len: u32,
    pub data: Vec<u8>,
}

impl From<&Packet<'_>> for Kept {
    fn from(packet: &Packet<'_>) -> Self {
        let Packet { ts, iface, link, wire_len, data } = *packet;
        Self { ts, iface, link: link.0, wire_len, data: data.to_vec() }
    }
}

/// All that a source gave.
#[derive(Debug, Default)]
pub struct All {
    pub packets: Vec<Kept>,
    pub interfaces: Vec<String>,
    pub stats: SourceStats,
    pub error: Option<Error>,
}

pub fn drain(mut source: CaptureFiles) -> All {
    let mut all = All::default();
    loop {
        match source.poll(Duration::ZERO) {
            Ok(Polled::Packets(batch)) => {
                assert!(!batch.is_empty());
                all.packets.extend(batch.iter().map(Kept::from));
            }
            Ok(Polled::Interface(interface)) => all.interfaces.push(interface.name),
            Ok(Polled::Idle) => {}
            Ok(Polled::End) => break,
            Err(error) => all.error = Some(error),
        }
    }
    all.stats = source.stats();
    let known = all.interfaces.len();
    assert!(all.packets.iter().all(|packet| usize::from(packet.iface) < known));
    all
}

pub fn read(bytes: &[u8]) -> All {
    drain(CaptureFiles::from_stream("x", io::Cursor::new(bytes.to_vec())))
}

/// Gives a few bytes at a time, as a slow pipe does.
pub struct Trickle(pub Vec<u8>, pub usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        Ok(count)
    }
}

/// An empty folder for one test.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes pcapng blocks in either byte order.
pub struct Writer {
    pub big: bool,
    pub bytes: Vec<u8>,
}

impl Writer {
    /// Begins a file.
    pub fn new(big: bool) -> Self {
        let mut writer = Self { big, bytes: Vec::new() };
        writer.section();
        writer
    }

    pub fn u16(&self, number: u16) -> [u8; 2] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    pub fn u32(&self, number: u32) -> [u8; 4] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    pub fn u64(&self, number: u64) -> [u8; 8] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    pub fn block(&mut self, kind: u32, body: &[u8]) {
        let padded = body.len().next_multiple_of(4);
        let length = self.u32(padded as u32 + 12);
        let kind = self.u32(kind);
        self.bytes.extend_from_slice(&kind);
        self.bytes.extend_from_slice(&length);
        self.bytes.extend_from_slice(body);
        self.bytes.extend(std::iter::repeat_n(0, padded - body.len()));
        self.bytes.extend_from_slice(&length);
    }

    pub fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = [self.u16(code), self.u16(value.len() as u16)].concat();
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    pub fn section(&mut self) {
        let body = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body);
    }

    pub fn interface(&mut self, link: u16, snaplen: u32, options: &[Vec<u8>]) {
        let body = [&self.u16(link)[..], &[0, 0], &self.u32(snaplen), &options.concat()].concat();
        self.block(1, &body);
    }

    /// An enhanced packet block.
    pub fn packet(&mut self, interface: u32, time: u64, wire_len: u32, data: &[u8]) {
        let fields = [interface, (time >> 32) as u32, time as u32, data.len() as u32, wire_len];
        let body = [&fields.map(|field| self.u32(field)).concat()[..], data].concat();
        self.block(6, &body);
    }

    /// A simple packet block.
    pub fn simple(&mut self, wire_len: u32, data: &[u8]) {
        let body = [&self.u32(wire_len)[..], data].concat();
        self.block(3, &body);
    }

    /// An obsolete packet block.
    pub fn old_packet(&mut self, interface: u16, time: u64, wire_len: u32, data: &[u8]) {
        let fields = [(time >> 32) as u32, time as u32, data.len() as u32, wire_len];
        let fields = fields.map(|field| self.u32(field)).concat();
        let body = [&self.u16(interface)[..], &self.u16(0xffff), &fields, data].concat();
        self.block(2, &body);
    }
}

/// A pcap file of packets, all fields little-endian, microseconds.
pub fn pcap(packets: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1];
    let mut bytes = header.map(u32::to_le_bytes).concat();
    for (seconds, micros, data) in packets {
        let record = [*seconds, *micros, data.len() as u32, data.len() as u32];
        bytes.extend(record.map(u32::to_le_bytes).concat());
        bytes.extend_from_slice(data);
    }
    bytes
}

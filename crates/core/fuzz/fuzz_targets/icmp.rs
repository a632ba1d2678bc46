//! ICMP of both versions beside UDP: pings, errors, and the packets they quote.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_core::capture::{Interface, SourceStats};
use tidegate_core::packet::PacketBatch;
use tidegate_core::{Config, Engine, LinkType, Packet};

// Input: packets, each with a byte of flags (1: IPv6, 2: the other way, 4: UDP, 8: twelve seconds
// later) and one of length; what follows is what IP carries.
fuzz_target!(|input: &[u8]| {
    let mut engine = Engine::new(Config::default());
    engine.interface(Interface { name: "fuzz".into() });
    let (mut rest, mut ts, mut messages) = (input, 1_000_000_000, 0);
    while let Some((&[flags, length], data)) = rest.split_first_chunk() {
        let (data, next) = data.split_at(usize::from(length).min(data.len()));
        rest = next;
        ts += if flags & 8 == 0 { 1_000_000 } else { 12_000_000_000 };
        messages += usize::from(flags & 4 == 0);
        let bytes = packet(flags, data);
        let wire_len = bytes.len() as u32;
        let link = LinkType::RAW;
        let mut batch = PacketBatch::new();
        batch.push(Packet { ts, iface: 0, link, wire_len, data: &bytes });
        engine.packets(&batch);
    }
    engine.finish(&SourceStats::default());
    let rows = engine.drain(true).into_iter().filter(|batch| batch.table == "icmp");
    let rows: usize = rows.map(|batch| batch.rows.num_rows()).sum();
    assert!(rows <= messages, "{rows} rows of {messages} messages");
});

fn packet(flags: u8, data: &[u8]) -> Vec<u8> {
    let (mut src, mut dst) = (1, 2);
    if flags & 2 != 0 {
        (src, dst) = (dst, src);
    }
    let mut bytes = Vec::new();
    if flags & 1 == 0 {
        let length = (20 + data.len() as u16).to_be_bytes();
        let proto = if flags & 4 == 0 { 1 } else { 17 };
        bytes.extend([0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, proto, 0, 0]);
        bytes.extend([192, 0, 2, src, 192, 0, 2, dst]);
    } else {
        let length = (data.len() as u16).to_be_bytes();
        let proto = if flags & 4 == 0 { 58 } else { 17 };
        bytes.extend([0x60, 0, 0, 0, length[0], length[1], proto, 64]);
        for last in [src, dst] {
            bytes.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
        }
    }
    bytes.extend(data);
    bytes
}

//! Any bytes as a capture file: pcap, pcapng, gzip or zstd of either.
#![no_main]

use std::io::Read;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tidegate_core::Packet;
use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::{Polled, Source};

/// No packet is longer than the longest block.
const MAX_PACKET: usize = 16 << 20;

/// Packed bytes expand a thousandfold: enough is read of them, not all.
const MAX_PACKETS: usize = 100_000;

/// What must be the same however the bytes arrive.
#[derive(Default, PartialEq, Eq)]
struct Seen {
    packets: Vec<(i64, u16, u16, u32, Vec<u8>)>,
    interfaces: Vec<String>,
    failed: bool,
    whole: bool,
}

/// Gives `step` bytes at a time.
struct Pieces(std::io::Cursor<Vec<u8>>, usize);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.1);
        self.0.read(&mut buffer[..count])
    }
}

fn read(bytes: &[u8], step: usize) -> Seen {
    let stream = Pieces(std::io::Cursor::new(bytes.to_vec()), step);
    let mut files = CaptureFiles::from_stream("fuzz", stream);
    let mut seen = Seen::default();
    let mut idle = 0;
    while seen.packets.len() < MAX_PACKETS && idle < 100 {
        match files.poll(Duration::ZERO) {
            Ok(Polled::Packets(batch)) => {
                assert!(!batch.is_empty(), "a batch has a packet");
                seen.packets.extend(batch.iter().map(|packet| checked(packet, &seen.interfaces)));
            }
            Ok(Polled::Interface(interface)) => {
                assert!(interface.name.len() <= 3 * 256, "names are bounded");
                seen.interfaces.push(interface.name);
            }
            Ok(Polled::Idle) => idle += 1,
            Ok(Polled::End) => {
                seen.whole = true;
                break;
            }
            Err(_) => seen.failed = true,
        }
    }
    let stats = files.stats();
    assert!(stats.warnings.len() < 110, "warnings are bounded");
    assert_eq!(stats.kernel_dropped.len(), seen.interfaces.len());
    assert!(files.progress().read <= bytes.len() as u64);
    seen
}

fn checked(packet: &Packet<'_>, interfaces: &[String]) -> (i64, u16, u16, u32, Vec<u8>) {
    assert!(packet.data.len() <= MAX_PACKET);
    assert!(packet.wire_len as usize >= packet.data.len(), "the wire had all that was captured");
    assert!(usize::from(packet.iface) < interfaces.len(), "an interface comes before its packets");
    (packet.ts, packet.iface, packet.link.0, packet.wire_len, packet.data.to_vec())
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_last() else { return };
    let whole = read(bytes, usize::MAX);
    // Damage in packed bytes may cost the last few kilobytes before it: no comparison then.
    let packed = matches!(bytes, [0x1f, 0x8b, ..] | [0x28, 0xb5, ..] | [0x50..=0x5f, 0x2a, ..]);
    if packed || !whole.whole {
        return;
    }
    let slow = read(bytes, 1 + usize::from(choice));
    assert!(!slow.whole || slow == whole, "the size of reads changes nothing");
    let cut = read(&bytes[..bytes.len() * usize::from(choice) / 256], usize::MAX);
    assert!(whole.packets.starts_with(&cut.packets), "a cut gives a prefix");
    assert!(whole.interfaces.starts_with(&cut.interfaces));
});

//! Capture files as a source: every format and block, every way a file can end badly.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod capture_support;

use std::io::{self, Write as _};
use std::path::Path;

use capture_support::{All, Kept, Trickle, Writer, drain, folder, pcap, read};
use proptest::prelude::*;
use tidegate_core::Error;
use tidegate_core::capture::files::{CaptureFiles, Progress};

const SECOND: i64 = 1_000_000_000;

fn kept(ts: i64, iface: u16, link: u16, wire_len: u32, data: &[u8]) -> Kept {
    Kept { ts, iface, link, wire_len, data: data.to_vec() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn reason(all: &All) -> String {
    all.error.as_ref().unwrap().to_string()
}

/// One of each block, two interfaces, one option of each kind that matters.
fn every_block(big: bool) -> Writer {
    let mut file = Writer::new(big);
    file.interface(1, 4, &[file.option(2, b"eth0"), file.option(9, &[9]), file.option(0, &[])]);
    file.interface(113, 0, &[file.option(9, &[0x8a]), file.option(14, &file.u64(100))]);
    file.packet(0, 7, 60, b"abc");
    file.block(4, &[0; 4]);
    file.packet(1, 2048, 4, b"abcd");
    file.block(
        5,
        &[&[0; 12][..], &file.option(5, &file.u64(3)), &file.option(7, &file.u64(4))].concat(),
    );
    file.old_packet(0, 9, 5, b"abcde");
    file.block(0x0bad, b"\0\0\0\0custom");
    file.simple(60, b"abcd");
    file.block(10, b"keys");
    file.block(0x7777, b"what is this");
    file
}

#[test]
fn every_block_in_both_byte_orders() {
    for big in [false, true] {
        let all = read(&every_block(big).bytes);
        let expected = [
            kept(7, 0, 1, 60, b"abc"),
            kept(102 * SECOND, 1, 113, 4, b"abcd"),
            kept(9, 0, 1, 5, b"abcde"),
            kept(9, 0, 1, 60, b"abcd"),
        ];
        assert_eq!(all.packets, expected);
        assert_eq!(all.interfaces, ["eth0", "x"], "one without a name has the file's");
        assert_eq!(all.stats.kernel_dropped, [7, 0]);
        let unknown = "x: 1 blocks of unknown type skipped (the first is 0x00007777)";
        assert_eq!(all.stats.warnings, [unknown]);
    }
}

#[test]
fn sections_may_differ_in_everything() {
    let mut other = Writer::new(true);
    other.interface(101, 0, &[other.option(2, b"wlan0")]);
    other.interface(1, 0, &[other.option(2, b"eth0")]);
    other.packet(0, 1, 1, b"w");
    other.packet(1, 2, 1, b"e");
    let all = read(&[every_block(false).bytes, other.bytes].concat());
    assert_eq!(all.interfaces, ["eth0", "x", "wlan0"], "eth0 keeps its number");
    assert_eq!(all.packets[4..], [kept(1000, 2, 101, 1, b"w"), kept(2000, 0, 1, 1, b"e")]);
}

#[test]
fn packets_that_contradict_themselves_are_counted() {
    let mut file = Writer::new(false);
    file.packet(0, 0, 1, b"no interface");
    file.interface(1, 0, &[]);
    let lying = [0, 0, 0, 1000, 1000].map(u32::to_le_bytes).concat();
    file.block(6, &lying);
    file.block(6, &[]);
    file.packet(0, u64::MAX, 0, b"last");
    let all = read(&file.bytes);
    assert_eq!(all.packets, [kept(i64::MAX, 0, 1, 4, b"last")]);
    assert_eq!(
        all.stats.warnings,
        [
            "x: 2 packet blocks with impossible lengths skipped",
            "x: 1 packets skipped whose interface is not described"
        ]
    );
}

#[test]
fn a_block_too_long_is_passed_over() {
    let mut file = Writer::new(false);
    file.interface(1, 0, &[]);
    file.block(6, &vec![0; 17 << 20]);
    file.packet(0, 0, 4, b"next");
    let all = read(&file.bytes);
    assert_eq!(all.packets.len(), 1);
    assert_eq!(all.stats.warnings, ["x: 1 blocks over 16 MiB skipped"]);
}

#[test]
fn a_long_packet_passes_whole() {
    let long = vec![7; 15 << 20];
    let mut file = Writer::new(false);
    file.interface(1, 0, &[]);
    file.packet(0, 0, long.len() as u32, &long);
    let all = drain(CaptureFiles::from_stream("x", Trickle(file.bytes, 1 << 20)));
    assert_eq!(all.packets[0].data, long);
}

#[test]
fn damage_in_the_middle_keeps_what_came_before() {
    let mut file = every_block(false).bytes;
    file.extend_from_slice(&[0xff; 64]);
    let all = read(&file);
    assert_eq!(all.packets.len(), 4);
    assert!(all.stats.warnings[1].starts_with("x: damaged after 4 packets"), "{:?}", all.stats);

    let mut file = pcap(&[(1, 2, b"abc".to_vec())]);
    file.extend_from_slice(&[0xff; 64]);
    let all = read(&file);
    assert_eq!(all.packets, [kept(SECOND + 2000, 0, 1, 3, b"abc")]);
    let warning = "x: damaged after 1 packets (a packet of 4294967295 bytes, more than 262144); the rest was not read";
    assert_eq!(all.stats.warnings, [warning]);
}

#[test]
fn packed_files_are_known_by_their_bytes() {
    let plain = every_block(true).bytes;
    let (front, back) = plain.split_at(plain.len() / 2);
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
    for packed in [
        gzip(&plain),
        zstd(&plain),
        [gzip(front), gzip(back)].concat(),
        [zstd(front), zstd(back)].concat(),
    ] {
        assert_eq!(read(&packed).packets, read(&plain).packets);
    }
}

#[test]
fn a_packed_file_cut_anywhere_gives_what_is_there() {
    let packets: Vec<_> =
        (0..200_u32).map(|n| (n, n, n.wrapping_mul(0x9e37_79b9).to_le_bytes().repeat(9))).collect();
    let plain = pcap(&packets);
    let whole = read(&plain).packets;
    for packed in [gzip(&plain), zstd::encode_all(&plain[..], 3).unwrap()] {
        for cut in (8..packed.len()).step_by(97) {
            let all = read(&packed[..cut]);
            assert!(whole.starts_with(&all.packets));
            assert_eq!(all.error.is_none(), all.stats.warnings.len() == 1, "cut at {cut}: {all:?}");
        }
    }
}

#[test]
fn what_is_no_capture_is_told_in_one_sentence() {
    let garbage = "x: neither pcap nor pcapng (begins with 68 65 6c 6c)";
    assert_eq!(reason(&read(b"hello\n")), garbage);
    assert_eq!(reason(&read(b"")), "x: empty, no capture");
    assert_eq!(reason(&read(&pcap(&[])[..23])), "x: only 23 bytes, no capture");
    let packed = "x: gzip of something that is neither pcap nor pcapng (begins with 68 65 6c 6c)";
    assert_eq!(reason(&read(&gzip(b"hello"))), packed);
    assert_eq!(reason(&read(b"BZh91AY&SY")), "x: compressed with bzip2; unpack it first (bunzip2)");
    let mut only_damage = pcap(&[]);
    only_damage.extend_from_slice(&[0xff; 16]);
    assert!(reason(&read(&only_damage)).starts_with("x: damaged from its start"));
}

fn opened(paths: &[&Path]) -> Result<CaptureFiles, Error> {
    CaptureFiles::open(paths)
}

#[test]
fn each_path_is_looked_at_before_reading() {
    let folder = folder("each_path");
    let (good, garbage, empty) =
        (folder.join("good.pcap"), folder.join("garbage"), folder.join("empty"));
    std::fs::write(&good, pcap(&[(1, 0, b"x".to_vec())])).unwrap();
    std::fs::write(&garbage, "garbage").unwrap();
    std::fs::write(&empty, "").unwrap();

    let Err(error) = opened(&[&good, &folder]) else { panic!() };
    assert!(error.to_string().ends_with("a directory; name the capture files in it"));
    assert!(matches!(opened(&[&good, &garbage]), Err(Error::NotACapture { .. })));
    assert!(matches!(opened(&[&good, &folder.join("none")]), Err(Error::File { .. })));
    assert!(matches!(opened(&[&empty]), Err(Error::NotACapture { .. })));

    let all = drain(opened(&[&empty, &good, &good]).unwrap());
    assert_eq!((all.packets.len(), all.interfaces.len()), (2, 2));
    assert_eq!(all.stats.warnings, [format!("{}: empty, no capture", empty.display())]);
}

#[test]
fn progress_counts_bytes_on_disk() {
    let path = folder("progress").join("x.pcap.gz");
    let packed = gzip(&pcap(&[(1, 0, vec![0; 100_000])]));
    std::fs::write(&path, &packed).unwrap();
    let size = packed.len() as u64;
    let mut files = opened(&[&path]).unwrap();
    assert_eq!(files.progress(), Progress { read: 0, total: Some(size) });
    while !matches!(
        tidegate_core::capture::Source::poll(&mut files, std::time::Duration::ZERO),
        Ok(tidegate_core::capture::Polled::End)
    ) {}
    assert_eq!(files.progress(), Progress { read: size, total: Some(size) });
}

#[test]
fn an_interrupted_read_is_idle_and_loses_nothing() {
    struct Interrupted(io::Cursor<Vec<u8>>, bool);
    impl io::Read for Interrupted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let few = buffer.len().min(3);
            self.0.read(&mut buffer[..few])
        }
    }
    for bytes in [every_block(false).bytes, gzip(&every_block(false).bytes)] {
        let stream = Interrupted(io::Cursor::new(bytes), false);
        let all = drain(CaptureFiles::from_stream("x", stream));
        assert_eq!(all.packets.len(), 4, "{all:?}");
    }
}

#[test]
fn warnings_are_bounded() {
    let folder = folder("warnings");
    let mut cut = pcap(&[(0, 0, b"abc".to_vec())]);
    cut.pop();
    let paths: Vec<_> = (0..150).map(|n| folder.join(n.to_string())).collect();
    for path in &paths {
        std::fs::write(path, &cut).unwrap();
    }
    let all = drain(CaptureFiles::open(&paths).unwrap());
    assert_eq!(all.stats.warnings.len(), 101);
    assert_eq!(all.stats.warnings[100], "50 more warnings");
}

fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let data = || prop::collection::vec(any::<u8>(), 0..80);
    let block = (0..7_u8, any::<u64>(), 0..3_u32, data());
    let file = (any::<bool>(), prop::collection::vec(block, 0..40));
    let pcapng = file.prop_map(|(big, blocks)| {
        let mut file = Writer::new(big);
        for (kind, time, index, data) in blocks {
            match kind {
                0 => file.section(),
                1 => file.interface(index as u16, index * 20, &[file.option(9, &[time as u8])]),
                2 => file.simple(data.len() as u32, &data),
                3 => file.old_packet(index as u16, time, index, &data),
                4 => file.block(index + 4, &data),
                _ => file.packet(index, time, index, &data),
            }
        }
        file.bytes
    });
    let records = prop::collection::vec((any::<u32>(), any::<u32>(), data()), 0..40);
    prop_oneof![pcapng, records.prop_map(|records| pcap(&records))]
}

proptest! {
    #[test]
    fn a_cut_gives_a_prefix(bytes in any_file(), cut in any::<prop::sample::Index>()) {
        let whole = read(&bytes);
        let cut = read(&bytes[..cut.index(bytes.len())]);
        prop_assert!(whole.packets.starts_with(&cut.packets));
        prop_assert!(whole.interfaces.starts_with(&cut.interfaces));
    }

    #[test]
    fn the_size_of_reads_changes_nothing(bytes in any_file(), size in 1..200_usize) {
        let slow = drain(CaptureFiles::from_stream("x", Trickle(bytes.clone(), size)));
        let fast = read(&bytes);
        prop_assert_eq!(slow.packets, fast.packets);
        prop_assert_eq!(slow.stats, fast.stats);
    }

    #[test]
    fn any_change_of_bytes_is_survived(
        mut bytes in any_file(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let all = read(&bytes);
        let data: usize = all.packets.iter().map(|packet| packet.data.len()).sum();
        prop_assert!(data <= bytes.len());
    }
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_idle_until_somebody_writes() {
    use tidegate_core::capture::{Polled, Source};
    let path = folder("pipe").join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let mut files = CaptureFiles::open(&[&path]).unwrap();
    for _ in 0..3 {
        let polled = files.poll(std::time::Duration::ZERO).unwrap();
        assert!(matches!(polled, Polled::Idle));
    }
    let writer = std::thread::spawn(move || std::fs::write(path, pcap(&[(0, 0, b"abc".to_vec())])));
    assert_eq!(drain(files).packets.len(), 1);
    writer.join().unwrap().unwrap();
}

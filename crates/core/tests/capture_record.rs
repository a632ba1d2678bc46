//! Recording: what is written is read back, whatever limits and full disks do to it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod capture_support;

use std::path::{Path, PathBuf};

use capture_support::{Kept, drain, folder, read};
use proptest::prelude::*;
use tidegate_core::capture::Interface;
use tidegate_core::capture::files::CaptureFiles;
use tidegate_core::capture::record::{RecordConfig, Recorder};
use tidegate_core::{Error, LinkType, Packet};

const SECOND: i64 = 1_000_000_000;

fn packet(ts: i64, data: &[u8]) -> Packet<'_> {
    Packet { ts, iface: 0, link: LinkType::ETHERNET, wire_len: data.len() as u32, data }
}

fn recorder(config: RecordConfig) -> Recorder {
    let mut recorder = Recorder::create(config).unwrap();
    recorder.interface(&Interface { name: "eth0".into() });
    recorder
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn names_in(folder: &Path) -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files_in(folder).into_iter().map(name).collect()
}

fn times_in(paths: &[PathBuf]) -> Vec<i64> {
    drain(CaptureFiles::open(paths).unwrap()).packets.iter().map(|packet| packet.ts).collect()
}

#[test]
fn a_recording_without_packets_is_a_capture() {
    let path = folder("record_none").join("x.pcapng");
    recorder(RecordConfig { path: path.clone(), ..RecordConfig::default() }).close().unwrap();
    let all = drain(CaptureFiles::open(&[path]).unwrap());
    assert!(all.packets.is_empty() && all.stats.warnings.is_empty());
}

#[test]
fn snaplen_cuts_and_drops_are_noted() {
    let path = folder("record_snaplen").join("x.pcapng");
    let mut recorder =
        recorder(RecordConfig { path: path.clone(), snaplen: 3, ..RecordConfig::default() });
    recorder.packet(&packet(5, b"abcdef")).unwrap();
    recorder.dropped(0, 6, 9);
    assert_eq!(recorder.close().unwrap().packets, 1);
    let all = drain(CaptureFiles::open(&[path]).unwrap());
    assert_eq!(all.packets, [Kept { ts: 5, iface: 0, link: 1, wire_len: 6, data: b"abc".into() }]);
    assert_eq!((all.interfaces, all.stats.kernel_dropped), (vec!["eth0".to_owned()], vec![9]));
}

#[test]
fn files_end_before_their_limit_and_the_oldest_go() {
    let folder = folder("record_size");
    let config = RecordConfig {
        path: folder.join("x.pcapng"),
        max_bytes: Some(2000),
        max_total: Some(6000),
        ..RecordConfig::default()
    };
    let mut recorder = recorder(config);
    for ts in 0..100 {
        recorder.packet(&packet(ts, &[0; 200])).unwrap();
        recorder.flush().unwrap();
        let sizes: Vec<u64> =
            files_in(&folder).iter().map(|path| path.metadata().unwrap().len()).collect();
        assert!(sizes.iter().all(|&size| size <= 2000) && sizes.iter().sum::<u64>() <= 6000);
    }
    let stats = recorder.close().unwrap();
    assert_eq!((stats.packets, stats.lost), (100, 0));
    assert_eq!(stats.files - stats.deleted, files_in(&folder).len() as u64);
    let left = times_in(&files_in(&folder));
    assert!(left.len() > 10 && left.is_sorted() && left.last() == Some(&99));
}

#[test]
fn files_span_packet_time_and_count_on() {
    let folder = folder("record_time");
    let config = RecordConfig {
        path: folder.join("x.pcapng"),
        max_seconds: Some(10.0),
        ..RecordConfig::default()
    };
    for run in 0..2 {
        let mut recorder = recorder(config.clone());
        for ts in [0, 9, 10, 15, 20] {
            recorder.packet(&packet((run * 100 + ts) * SECOND, b"x")).unwrap();
        }
    }
    let names: Vec<String> = (1..=6).map(|number| format!("x_{number:05}.pcapng")).collect();
    assert_eq!(names_in(&folder), names);
    assert_eq!(times_in(&files_in(&folder)).len(), 10);
    assert_eq!(times_in(&files_in(&folder)[1..2]), [10 * SECOND, 15 * SECOND]);
}

#[test]
fn other_peoples_files_stay() {
    let folder = folder("record_others");
    for name in ["x_00007.pcapng", "x_7.pcapng", "y_00009.pcapng"] {
        std::fs::write(folder.join(name), name).unwrap();
    }
    let path = folder.join("x.pcapng");
    let mut recorder =
        recorder(RecordConfig { path, max_total: Some(4000), ..RecordConfig::default() });
    for ts in 0..100 {
        recorder.packet(&packet(ts, &[0; 200])).unwrap();
    }
    drop(recorder);
    let names = names_in(&folder);
    assert!(
        ["x_00007.pcapng", "x_7.pcapng", "y_00009.pcapng"]
            .iter()
            .all(|&name| names.iter().any(|n| n == name))
    );
    assert!(!names.iter().any(|name| name == "x_00001.pcapng" || name == "x_00008.pcapng"));
    assert_eq!(std::fs::read(folder.join("x_00007.pcapng")).unwrap(), b"x_00007.pcapng");
}

#[test]
fn limits_that_make_no_sense_are_usage_errors() {
    let base = RecordConfig { path: folder("record_usage").join("x"), ..RecordConfig::default() };
    for config in [
        RecordConfig { max_bytes: Some(0), ..base.clone() },
        RecordConfig { max_total: Some(0), ..base.clone() },
        RecordConfig { max_seconds: Some(0.0), ..base.clone() },
        RecordConfig { max_seconds: Some(f64::NAN), ..base.clone() },
        RecordConfig { path: "-".into(), ..base },
    ] {
        assert!(matches!(Recorder::create(config), Err(Error::Usage(_))));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_for_a_header_is_told_at_once() {
    let config = RecordConfig { path: "/dev/full".into(), ..RecordConfig::default() };
    assert!(matches!(Recorder::create(config), Err(Error::File { .. })));
}

/// Records under a limit on file size, which fails a write as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_leaves_a_readable_file() {
    let path = folder("record_full").join("x.pcapng");
    let run = "trap '' XFSZ; ulimit -f 1200; exec \"$0\" --ignored --exact records_until_the_disk_is_full";
    let status = std::process::Command::new("sh")
        .args(["-c", run])
        .arg(std::env::current_exe().unwrap())
        .env("RECORD_PATH", &path)
        .status();
    assert!(status.unwrap().success());
    let all = drain(CaptureFiles::open(&[path]).unwrap());
    assert_eq!(all.stats.warnings, Vec::<String>::new());
    assert!(all.packets.len() > 100);
    assert_eq!(all.packets.last().unwrap().ts, 9999, "what fits later is written");
    assert_eq!(all.interfaces, ["eth0"]);
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "run by a_disk_that_fills_leaves_a_readable_file, under its limit"]
fn records_until_the_disk_is_full() {
    let path = std::env::var_os("RECORD_PATH").unwrap().into();
    let mut recorder = recorder(RecordConfig { path, ..RecordConfig::default() });
    let failed = (0..5000).filter(|&ts| recorder.packet(&packet(ts, &[0; 1000])).is_err()).count();
    recorder.flush().ok();
    assert!(failed > 0 && recorder.stats().lost > 0);
    recorder.packet(&packet(9999, b"small")).unwrap();
    let stats = recorder.close().unwrap();
    assert_eq!(stats.packets + stats.lost, 5001);
}

type Raw = (i64, u16, u16, u32, Vec<u8>);

fn any_packets() -> impl Strategy<Value = Vec<Raw>> {
    let data = prop::collection::vec(any::<u8>(), 0..100);
    let packet = (0..=i64::MAX, 0..4_u16, 0..3_u16, 0..2000_u32, data);
    prop::collection::vec(packet, 0..100)
}

proptest! {
    #[test]
    fn what_is_recorded_is_read(packets in any_packets(), cut in any::<prop::sample::Index>(), case in any::<u64>()) {
        let path = folder(&format!("record_any_{case}")).join("x.pcapng");
        let mut recorder = Recorder::create(RecordConfig { path: path.clone(), ..RecordConfig::default() }).unwrap();
        for name in ["a", "lo", "eth", "wlan0"] {
            recorder.interface(&Interface { name: name.into() });
        }
        for (ts, iface, link, wire_len, data) in &packets {
            let packet = Packet { ts: *ts, iface: *iface, link: LinkType(*link), wire_len: *wire_len, data };
            recorder.packet(&packet).unwrap();
        }
        prop_assert_eq!(recorder.close().unwrap().packets, packets.len() as u64);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();

        let all = read(&bytes);
        prop_assert!(all.stats.warnings.is_empty());
        prop_assert_eq!(all.packets.len(), packets.len());
        let names = ["a", "lo", "eth", "wlan0"];
        for (got, (ts, iface, link, wire_len, data)) in all.packets.iter().zip(&packets) {
            prop_assert_eq!(&all.interfaces[usize::from(got.iface)], names[usize::from(*iface)]);
            let wire_len = (*wire_len).max(data.len() as u32);
            prop_assert_eq!((got.ts, got.link, got.wire_len, &got.data), (*ts, *link, wire_len, data));
        }
        let cut = read(&bytes[..cut.index(bytes.len())]);
        prop_assert!(all.packets.starts_with(&cut.packets));
    }
}

//! Filters on packets at hand against tcpdump, which runs them in libpcap.
//!
//! With `TIDEGATE_CAPTURES=DIR`, all classic pcap files below that directory are tried too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_core::capture::filter::{FileFilter, check_filter};
use tidegate_core::{LinkType, Packet};

const EXPRESSIONS: &[&str] = &[
    "ip",
    "ip6",
    "arp",
    "tcp",
    "udp",
    "icmp or icmp6",
    "tcp port 80",
    "udp dst port 53",
    "src port 53",
    "portrange 20-100",
    "host 10.0.0.1",
    "net 10.0.0.0/8",
    "src net 10.0.0.0/31 and not tcp",
    "vlan",
    "vlan 7",
    "vlan 7 and tcp port 80",
    "vlan and vlan",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[13] = 2",
    "ip[0] & 0xf > 5",
    "(ip[2:2] - ((ip[0] & 0xf) << 2)) >= 30",
    "ip[6:2] & 0x1fff != 0",
    "len > 70",
    "greater 64 and less 100",
    "ip6 proto 58",
    "ip6 protochain 17",
    "ip protochain 6",
    "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
    "ip[8] / 2 = 32",
    "ip[8] % 3 = 1",
    "udp[4:2] * 2 > 40",
    "ip[1] ^ 255 = 255",
    "ether proto 0x0800",
    "ether[0] & 1 != 0",
    "ether broadcast",
    "not ip and not ip6",
    "port 80 or port 443 or port 53",
];

/// One packet of a pcap file.
struct Record {
    wire_len: u32,
    data: Vec<u8>,
}

/// Reads a classic pcap file; `None` for anything else.
fn read(bytes: &[u8]) -> Option<(LinkType, Vec<Record>)> {
    let big = match bytes.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => true,
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => false,
        _ => return None,
    };
    let word = |at: usize| {
        let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    };
    let link = LinkType(word(20)? as u16);
    let (mut at, mut records) = (24, Vec::new());
    while let (Some(len), Some(wire_len)) = (word(at + 8), word(at + 12)) {
        let Some(data) = bytes.get(at + 16..at + 16 + len as usize) else {
            break;
        };
        records.push(Record { wire_len, data: data.to_vec() });
        at += 16 + len as usize;
    }
    Some((link, records))
}

fn write(path: &Path, records: &[Record]) {
    let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend([0, 0, 4, 0, 1, 0, 0, 0]);
    for record in records {
        bytes.extend([0; 8]);
        bytes.extend((record.data.len() as u32).to_le_bytes());
        bytes.extend(record.wire_len.to_le_bytes());
        bytes.extend(&record.data);
    }
    std::fs::write(path, bytes).unwrap();
}

/// Frames of many shapes, some cut short: every header byte takes a few values.
fn frames() -> Vec<Record> {
    let mut state = 1_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let mut records = Vec::new();
    for _ in 0..4000 {
        let mut data = vec![0xff; 6];
        data.extend([2, 0, 0, 0, 0, random(3) as u8]);
        for _ in 0..random(3) {
            data.extend([0x81, 0, 0, 5 + random(3) as u8]);
        }
        let ports = [80_u16, 443, 53, 25, 40_000];
        let mut transport: Vec<u8> = Vec::new();
        transport.extend(ports[random(5) as usize].to_be_bytes());
        transport.extend(ports[random(5) as usize].to_be_bytes());
        transport.extend([0, 24, 0, 0, 0, 0, 0, 0, 0x50, 1 << random(6), 1, 0, 0, 0, 0, 0]);
        transport.extend(b"GET / HTTP/1.1\r\n");
        let protocol = [6, 17, 1, 58, 0][random(5) as usize];
        match random(3) {
            0 => {
                let options = random(3) as u8;
                let total = 20 + options * 4 + transport.len() as u8;
                data.extend([8, 0, 0x45 + options, random(2) as u8, 0, total, 0, 1, 0]);
                data.extend([random(4) as u8 / 3, 60 + random(5) as u8, protocol, 0, 0]);
                data.extend([10, 0, 0, random(3) as u8, 192, 168, 0, random(3) as u8]);
                data.extend(vec![1; usize::from(options) * 4]);
            }
            1 => {
                data.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, transport.len() as u8, protocol, 64]);
                data.extend([0xfd; 32]);
                if protocol == 0 {
                    data.extend([17, 0, 1, 4, 0, 0, 0, 0]);
                }
            }
            _ => data.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]),
        }
        data.extend(transport);
        let wire_len = data.len() as u32;
        if random(4) == 0 {
            data.truncate(random(u64::from(wire_len)) as usize);
        }
        records.push(Record { wire_len, data });
    }
    records
}

/// Packets that tcpdump lets through; `None` if it does not take the filter for this file.
fn tcpdump(path: &Path, expression: &str) -> Option<Vec<Vec<u8>>> {
    let out = Command::new("tcpdump")
        .args(["-r", path.to_str().unwrap(), "-w", "-", expression])
        .output()
        .unwrap();
    let (_, records) = read(&out.stdout).filter(|_| out.status.success())?;
    Some(records.into_iter().map(|record| record.data).collect())
}

fn compare(path: &Path) -> usize {
    let Some((link, records)) = read(&std::fs::read(path).unwrap()) else {
        return 0;
    };
    let mut compared = 0;
    for expression in EXPRESSIONS {
        // We start at the IP header where libpcap sees the BSD address family first.
        if expression.starts_with("ether[") && [LinkType::NULL, LinkType::LOOP].contains(&link) {
            continue;
        }
        let Some(expected) = tcpdump(path, expression) else {
            continue;
        };
        let mut filter = FileFilter::new(expression).unwrap();
        let accept = |record: &&Record| {
            filter.matches(&Packet {
                ts: 0,
                iface: 0,
                link,
                wire_len: record.wire_len,
                data: &record.data,
            })
        };
        let passed: Vec<&[u8]> = records.iter().filter(accept).map(|r| &r.data[..]).collect();
        // tcpdump cuts what is longer than its file's header allows.
        let same = passed.len() == expected.len()
            && passed.iter().zip(&expected).all(|(p, e)| p.starts_with(e));
        let counts = (passed.len(), expected.len());
        assert!(same, "{expression} on {}: {counts:?}", path.display());
        compared += 1;
    }
    compared
}

fn captures(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            captures(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn have_tcpdump() -> bool {
    let have = Command::new("tcpdump").arg("--version").output().is_ok();
    if !have {
        let _ = std::io::stderr().write_all(b"\nSKIPPED: tcpdump is not installed\n");
    }
    have
}

#[test]
fn filters_pass_what_tcpdump_passes() {
    if !have_tcpdump() {
        return;
    }
    let path = std::env::temp_dir().join(format!("tidegate-filter-{}.pcap", std::process::id()));
    write(&path, &frames());
    let compared = compare(&path);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(compared, EXPRESSIONS.len());
}

#[test]
fn filters_pass_what_tcpdump_passes_of_real_captures() {
    let Some(directory) = std::env::var_os("TIDEGATE_CAPTURES") else {
        return;
    };
    let mut found = Vec::new();
    captures(Path::new(&directory), &mut found);
    let compared: usize = found.iter().map(|path| compare(path)).sum();
    println!("{compared} comparisons over {} files", found.len());
    assert!(compared > 0);
}

#[test]
fn a_mistake_is_said_in_the_compilers_words() {
    check_filter("tcp port 80 and not vlan 7").unwrap();
    let said = check_filter("tcp prot 80").unwrap_err().to_string();
    assert!(said.starts_with("filter \"tcp prot 80\": "), "{said}");
    assert!(said.contains("syntax error"), "{said}");
    assert!(check_filter("tcp\0").unwrap_err().to_string().contains("zero byte"));
}

#[test]
fn a_filter_without_meaning_for_a_link_type_is_a_warning() {
    let mut filter = FileFilter::new("ether host 2:0:0:0:0:1").unwrap();
    let packet = Packet { ts: 0, iface: 0, link: LinkType::RAW, wire_len: 20, data: &[0x45; 20] };
    assert!(!filter.matches(&packet));
    assert!(!filter.matches(&packet));
    assert_eq!(filter.warnings().len(), 1);
    assert!(filter.warnings()[0].contains("link type RAW"));
}

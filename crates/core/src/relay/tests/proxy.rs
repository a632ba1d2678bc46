//! The PROXY protocol: headers of both versions, cut, broken, hostile.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use crate::relay::plan::ProxyVersion;
use crate::relay::proxy::{Bad, Ends, Header, LONGEST, make, parse, unknown};

fn ends(header: &[u8]) -> Ends {
    let (Header { ends, .. }, taken) = parse(header).unwrap().unwrap();
    assert_eq!(taken, header.len());
    ends
}

fn ip(src: &str, dst: &str) -> Ends {
    Ends::Ip(src.parse().unwrap(), dst.parse().unwrap())
}

fn bad(header: &[u8]) -> &'static str {
    match parse(header) {
        Err(Bad(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// A header of version 2.
fn binary(command: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, kind], &length, body].concat()
}

const FOUR: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 2, 0x9c, 0x40, 1, 187];

#[test]
fn lines_of_version_1() {
    assert_eq!(
        ends(b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n"),
        ip("192.0.2.1:40000", "198.51.100.2:443")
    );
    assert_eq!(
        ends(b"PROXY TCP6 2001:db8::1 2001:db8::2 1 0\r\n"),
        ip("[2001:db8::1]:1", "[2001:db8::2]:0")
    );
    assert_eq!(ends(b"PROXY UNKNOWN\r\n"), Ends::Unknown);
    assert_eq!(ends(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), Ends::Unknown);
    let (_, taken) = parse(b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n").unwrap().unwrap();
    assert_eq!(taken, 15);
}

#[test]
fn lines_that_are_none() {
    for line in [
        "PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 \r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 40000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 40000 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 40000 +443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 040000 443\r\n",
        "PROXY TCP4 192.0.2.1 ::2 40000 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 40000 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 40000 443\r\n",
        "PROXY \r\n",
        "PROXY \u{fe}\r\n",
    ] {
        assert_eq!(bad(line.as_bytes()), "PROXY line malformed", "{line:?}");
    }
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
    assert_eq!(bad(long.as_bytes()), "PROXY line too long");
    assert_eq!(bad(b"GET / HTTP/1.1\r\n"), "no PROXY header");
    assert_eq!(bad(b"PROXx"), "no PROXY header");
    assert_eq!(bad(b"\r\n\r\n\0\r\nQUIT\r"), "no PROXY header");
}

#[test]
fn headers_of_version_2() {
    assert_eq!(ends(&binary(0x21, 0x11, FOUR)), ip("192.0.2.1:40000", "198.51.100.2:443"));
    assert_eq!(ends(&binary(0x21, 0x12, FOUR)), ip("192.0.2.1:40000", "198.51.100.2:443"));
    let six =
        [[0x20, 1].as_slice(), &[0; 13], &[1], &[0x20, 1], &[0; 13], &[2], &[0, 1, 0, 2]].concat();
    assert_eq!(ends(&binary(0x21, 0x21, &six)), ip("[2001::1]:1", "[2001::2]:2"));
    let mut paths = [0; 216];
    paths[..4].copy_from_slice(b"/a/b");
    paths[108] = b'c';
    assert_eq!(ends(&binary(0x21, 0x31, &paths)), Ends::Unix((*b"/a/b").into(), (*b"c").into()));
    assert_eq!(ends(&binary(0x20, 0x11, FOUR)), Ends::Local);
    assert_eq!(ends(&binary(0x20, 0, &[])), Ends::Local);
    assert_eq!(ends(&binary(0x21, 0, b"whatever")), Ends::Unknown);
}

#[test]
fn additions_are_passed_over_and_a_checksum_is_checked() {
    let with = |more: &[u8]| binary(0x21, 0x11, &[FOUR, more].concat());
    assert_eq!(
        ends(&with(&[4, 0, 3, 1, 2, 3, 2, 0, 0])),
        ip("192.0.2.1:40000", "198.51.100.2:443")
    );
    assert_eq!(bad(&with(&[4, 0, 3, 1, 2])), "PROXY addition cut");
    assert_eq!(bad(&with(&[4, 0])), "PROXY addition cut");
    assert_eq!(bad(&with(&[3, 0, 2, 1, 2])), "PROXY checksum of wrong length");
    assert_eq!(bad(&with(&[3, 0, 4, 1, 2, 3, 4])), "PROXY checksum wrong");
    // Computed bit by bit from the polynomial 0x1edc6f41, as RFC 3720 defines it.
    let mut header = with(&[4, 0, 1, 9, 3, 0, 4, 0, 0, 0, 0]);
    let crc = crc32c(&header);
    let end = header.len();
    header[end - 4..].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(ends(&header), ip("192.0.2.1:40000", "198.51.100.2:443"));
    header[16] ^= 1;
    assert_eq!(bad(&header), "PROXY checksum wrong");
}

/// CRC-32C, highest bit first, and so unlike what it tests.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(byte.reverse_bits()) << 24;
        for _ in 0..8 {
            crc = if crc & 1 << 31 == 0 { crc << 1 } else { crc << 1 ^ 0x1edc_6f41 };
        }
    }
    !crc.reverse_bits()
}

#[test]
fn the_checksum_is_the_one_of_the_standard() {
    // RFC 3720, appendix B.4.
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
}

#[test]
fn headers_that_are_none() {
    assert_eq!(bad(&binary(0x22, 0x11, FOUR)), "PROXY header of unknown version or command");
    assert_eq!(bad(&binary(0x11, 0x11, FOUR)), "PROXY header of unknown version or command");
    assert_eq!(bad(&binary(0x31, 0x11, FOUR)[..13]), "PROXY header of unknown version or command");
    assert_eq!(bad(&binary(0x21, 0x41, FOUR)), "PROXY header of unknown family");
    assert_eq!(bad(&binary(0x21, 0x13, FOUR)), "PROXY header of unknown family");
    assert_eq!(bad(&binary(0x21, 0x21, FOUR)), "PROXY header too short for its addresses");
    assert_eq!(bad(&binary(0x21, 0x11, &[0; 4097])[..16]), "PROXY header too long");
}

#[test]
fn a_header_that_is_cut_is_waited_for() {
    let lines =
        [b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n".to_vec(), binary(0x21, 0x11, FOUR)];
    for header in lines {
        for end in 0..header.len() {
            assert_eq!(parse(&header[..end]), Ok(None), "{end}");
        }
    }
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let ip = prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from)
    ];
    (ip, any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip.to_canonical(), port))
}

proptest! {
    #[test]
    fn what_is_made_is_read(src in address(), dst in address(), rest in prop::collection::vec(any::<u8>(), 0..8)) {
        for version in [ProxyVersion::V1, ProxyVersion::V2] {
            let header = make(version, src, dst);
            let (read, taken) = parse(&[header.as_slice(), &rest].concat()).unwrap().unwrap();
            prop_assert_eq!(taken, header.len());
            prop_assert_eq!(read, Header { version, ends: Ends::Ip(src, dst) });
            let nobody = unknown(version);
            let (read, taken) = parse(&nobody).unwrap().unwrap();
            prop_assert_eq!(taken, nobody.len());
            prop_assert!(matches!(read.ends, Ends::Unknown | Ends::Local));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_no_more_are_waited_for_than_the_bound(
        kind in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..300), line in "PROXY [A-Z0-9:. ]{0,120}\r?\n?",
    ) {
        for bytes in [binary(0x21, kind, &body), line.into_bytes(), body] {
            match parse(&bytes) {
                Ok(Some((_, taken))) => prop_assert!(taken <= bytes.len() && taken <= LONGEST),
                Ok(None) => prop_assert!(bytes.len() < LONGEST),
                Err(Bad(why)) => prop_assert!(!why.is_empty()),
            }
        }
    }
}

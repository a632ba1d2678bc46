//! Numbers, frames, and the handshake's bytes in order.

use proptest::prelude::*;

use super::super::crypto::Crypto;
use super::super::frames::{Frame, Frames};
use super::super::keys::full_number;
use super::super::packet::{Packet, split};
use super::super::version::Version;
use super::hex;
use crate::protocols::reader::Reader;
use crate::protocols::{Budget, Violation};

#[test]
fn numbers_have_the_length_they_tell() {
    // RFC 9000, appendix A.1.
    let cases = [
        ("c2197c5eff14e88c", 151_288_809_941_952_652),
        ("9d7f3e7d", 494_878_333),
        ("7bbd", 15_293),
        ("25", 37),
        ("4025", 37),
    ];
    for (bytes, number) in cases {
        assert_eq!(Reader::new(&hex(bytes)).varint(), Some(number));
    }
    assert_eq!(Reader::new(&[0x80, 1, 2]).varint(), None);
}

#[test]
fn a_packet_number_is_the_nearest_one() {
    // RFC 9000, appendix A.3.
    assert_eq!(full_number(0x9b32, 2, 0xa82f_30eb), 0xa82f_9b32);
    assert_eq!(full_number(0, 1, 0), 0);
    assert_eq!(full_number(2, 1, 255), 258);
    assert_eq!(full_number(254, 1, 257), 254);
}

#[test]
fn frames_that_tell_nothing_are_passed_over() {
    let mut payload = hex("00 01 02 05 00 01 00 00 02 03 05 00 00 00 01 02 03");
    payload.extend(hex("06 01 02 aa bb 00 1c 41 28 06 01 78 00"));
    let frames: Vec<_> = Frames::new(&payload).collect();
    let data = &[0xaa, 0xbb][..];
    let expected = [Frame::Crypto { offset: 1, data }, Frame::Close { error: 0x128 }];
    assert_eq!(frames, expected.map(Ok));
}

#[test]
fn a_broken_frame_is_the_last() {
    let wrong = Err(Violation("quic frame malformed"));
    for payload in ["0600", "060005aa", "080000", "02ff", "0200ffffffffffffff00", "1c00"] {
        let payload = hex(payload);
        assert_eq!(Frames::new(&payload).collect::<Vec<_>>(), [wrong], "{payload:x?}");
    }
}

#[test]
fn versions_have_names() {
    let text = |number| Version(number).text().to_string();
    assert_eq!([text(1), text(0x6b33_43cf), text(10)], ["1", "2", "0x0000000a"]);
    assert_eq!(text(0xff00_001d), "0xff00001d");
    let known = [1, 0x5130_3530, 0x5430_3531, 0xff00_001c, 0xface_b002];
    assert!(known.into_iter().all(|number| Version(number).is_known()));
    let unknown = [0, 3, 0x5130_3520, 0x5141_3530, 0xff00_0000, 0xff00_0100, 0x1a2a_3a4a];
    assert!(!unknown.into_iter().any(|number| Version(number).is_known()));
}

#[test]
fn a_packet_longer_than_its_datagram_is_cut() {
    let packet = hex("c000000001 0100 0100 00 449e 0000");
    assert!(matches!(split(&packet), Some((Packet::Cut(1194), []))));
    assert!(split(&hex("c000000001 15")).is_none());
    assert!(split(&hex("00000000")).is_none());
}

/// Puts pieces of a text together; what came out.
fn joined(pieces: &[(usize, &[u8])]) -> Result<Vec<u8>, Violation> {
    let budget = Budget::new(1 << 20);
    let mut crypto = Crypto::default();
    let mut out = Vec::new();
    for (offset, data) in pieces {
        crypto.frame(*offset as u64, data, &budget, |data| {
            out.extend(data);
            Ok(())
        })?;
    }
    drop(crypto);
    assert_eq!(budget.used(), 0);
    Ok(out)
}

#[test]
fn pieces_overlap_and_repeat() {
    let text = b"abcdefgh";
    let pieces = [(4, &text[4..]), (4, &text[4..6]), (2, &text[2..5]), (0, &text[..3]), (0, text)];
    assert_eq!(joined(&pieces).unwrap(), text);
    assert_eq!(joined(&pieces[..3]).unwrap(), b"");
}

#[test]
fn pieces_have_bounds() {
    let early: Vec<(usize, &[u8])> = (0..65).map(|at| (2 + 2 * at, &b"x"[..])).collect();
    assert_eq!(joined(&early), Err(Violation("quic handshake in too many pieces")));
    assert!(joined(&early[..64]).is_ok());
    let large = vec![0; 40_000];
    let twice = joined(&[(2, &large), (1, &large)]);
    assert_eq!(twice, Err(Violation("quic handshake in too many pieces")));
    assert_eq!(joined(&[(1 << 16, b"x")]), Err(Violation("quic handshake too long")));
    assert_eq!(joined(&[(usize::MAX >> 2, b"x")]), Err(Violation("quic handshake too long")));
}

proptest! {
    #[test]
    fn any_order_gives_the_same(
        cuts in prop::collection::vec(0_usize..500, 0..20),
        order in prop::collection::vec(any::<usize>(), 40),
    ) {
        let text: Vec<u8> = (0..500_u16).map(|number| number as u8).collect();
        let mut ends = cuts;
        ends.extend([0, 500]);
        ends.sort_unstable();
        let mut pieces: Vec<(usize, &[u8])> =
            ends.windows(2).map(|pair| (pair[0], &text[pair[0]..pair[1]])).collect();
        for (at, other) in order.iter().enumerate() {
            let (at, other) = (at % pieces.len(), other % pieces.len());
            pieces.swap(at, other);
        }
        prop_assert_eq!(joined(&pieces).unwrap(), text);
    }
}

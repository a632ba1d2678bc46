//! Streams put in order: loss, repetition, disorder, wrap, mid-stream, bounds.

use super::play::{CLIENT, Play, SERVER};
use crate::config::Config;
use crate::decode::Segment;
use crate::flow::Direction;

#[test]
fn early_data_waits_for_what_is_missing() {
    let mut play = Play::reading();
    play.handshake().up("A", 105, 101, b"late").up("A", 101, 101, b"now ");
    assert_eq!(play.notes.up, b"now late");
    let ended = play.only();
    assert_eq!((ended.out_of_order, ended.retransmits), ([1, 0], (0, 0)));
}

#[test]
fn repeated_data_is_handed_on_once() {
    let mut play = Play::reading();
    play.handshake()
        .up("A", 101, 101, b"once")
        .up("A", 101, 101, b"once")
        .up("A", 103, 101, b"ce more");
    assert_eq!(play.notes.up, b"once more");
    let ended = play.only();
    assert_eq!((ended.retransmits, ended.history.as_str()), ((1, 0), "ShADT"));
}

#[test]
fn first_bytes_win() {
    let mut play = Play::reading();
    play.handshake().up("A", 104, 101, b"first").up("A", 101, 101, b"..#SECOND");
    assert_eq!(play.notes.up, b"..#firstD");
    assert_eq!(play.table.stats().conflicting_bytes, 5);
}

#[test]
fn what_was_acknowledged_but_never_seen_is_a_gap() {
    let mut play = Play::reading();
    play.handshake()
        .up("A", 101, 101, b"seen")
        .up("A", 115, 101, b"after")
        .down("A", 101, 120, b"");
    assert_eq!(play.notes.up, b"seenafter");
    assert_eq!(play.notes.gaps, [(Direction::Up, 10)]);
    let ended = play.only();
    assert_eq!((ended.missed, ended.history.as_str()), ([10, 0], "ShADaG"));
}

#[test]
fn a_fin_behind_a_gap_is_no_missing_byte() {
    for data in [&b""[..], b"end"] {
        let mut play = Play::new();
        let fin = 111 + data.len() as u32;
        play.handshake().up("FA", 111, 101, data).down("A", 101, fin + 1, b"");
        assert_eq!(play.only().missed, [10, 0]);
    }
}

#[test]
fn a_direction_that_is_never_seen_is_missed() {
    let mut play = Play::new();
    play.up("A", 500, 1000, b"x").up("A", 501, 3000, b"");
    assert_eq!(play.only().missed, [0, 2000]);
}

#[test]
fn a_lone_unseen_byte_is_a_fin() {
    let mut play = Play::new();
    play.handshake().up("A", 101, 101, b"bye").down("A", 101, 105, b"");
    assert_eq!(play.only().missed, [0, 0]);
}

#[test]
fn sequence_numbers_wrap() {
    let mut play = Play::reading();
    let isn = u32::MAX - 3;
    play.up("S", isn, 0, b"").down("SA", 100, isn.wrapping_add(1), b"");
    for (offset, bytes) in [(7, b"gh"), (1, b"ab"), (5, b"ef"), (3, b"cd")] {
        play.up("A", isn.wrapping_add(offset), 101, bytes);
    }
    assert_eq!(play.notes.up, b"abcdefgh");
}

#[test]
fn a_stream_is_picked_up_in_mid_air() {
    let mut play = Play::reading();
    play.down("A", 7000, 100, b"middle").down("A", 7006, 100, b" end");
    assert_eq!(play.notes.down, b"middle end");
    assert_eq!(play.only().missed, [0, 0]);
}

#[test]
fn a_keep_alive_is_no_retransmission() {
    let mut play = Play::new();
    play.handshake().up("A", 101, 101, b"data").up("A", 104, 101, b"a").up("A", 104, 101, b"");
    assert_eq!(play.only().retransmits, (0, 0));
}

#[test]
fn what_waits_at_the_end_is_handed_on_with_its_gap() {
    let mut play = Play::reading();
    play.handshake().up("A", 111, 101, b"tail");
    play.end();
    assert_eq!(
        (play.notes.up.as_slice(), play.notes.gaps.as_slice()),
        (&b"tail"[..], &[(Direction::Up, 10)][..])
    );
}

#[test]
fn a_stream_holds_no_more_than_it_may() {
    let config = Config { max_stream_buffer: 1000, ..Config::default() };
    let mut play = Play::with(&config, true);
    play.handshake();
    for turn in 0..100 {
        play.up("A", 200 + turn * 100, 101, &[b'x'; 100]);
    }
    assert!(play.table.stats().buffers_exhausted > 0);
    assert_eq!(play.notes.gaps, [(Direction::Up, 99)]);
    assert_eq!(play.notes.up.len(), 10_000);
}

#[test]
fn all_streams_together_hold_no_more_than_they_may() {
    let config = Config { max_buffer_total: 1000, ..Config::default() };
    let mut play = Play::with(&config, true);
    for port in 0..100 {
        let early =
            super::play::tcp([192, 0, 2, 1], port, [192, 0, 2, 2], 80, "A", 500, 1, &[b'x'; 90]);
        let start = super::play::tcp([192, 0, 2, 1], port, [192, 0, 2, 2], 80, "S", 100, 1, b"");
        play.segment(&start).segment(&early);
    }
    let held = 100 * 90 - play.notes.up.len() as u64;
    assert!(held <= 1000, "{held} bytes are held");
    assert!(play.table.stats().buffers_exhausted > 0);
    play.end();
    assert_eq!(play.notes.up.len(), 9000, "nothing is lost");
}

#[test]
fn pieces_cost_memory_even_without_bytes() {
    let config = Config { max_buffer_total: 10_000, ..Config::default() };
    let mut play = Play::with(&config, false);
    for port in 0..100 {
        for seq in [100, 200, 202, 204, 206, 208] {
            let early = super::play::tcp(CLIENT, port, SERVER, 80, "A", seq, 1, b"x");
            play.segment(&early);
        }
        assert!(play.table.stats().buffered <= 10_000);
    }
    assert!(play.table.stats().buffers_exhausted > 0);
    play.end();
    assert_eq!(play.table.stats().buffered, 0);
}

#[test]
fn a_far_jump_is_not_believed() {
    let mut play = Play::new();
    play.handshake().down("A", 101, 0x7000_0000, b"").up("A", 101, 101, b"fine");
    let ended = play.only();
    assert_eq!((ended.missed, ended.retransmits), ([0, 0], (0, 0)));
}

#[test]
fn of_bytes_that_were_not_captured_only_the_gap_is_told() {
    let mut play = Play::reading();
    play.handshake();
    let cut = Segment {
        payload_len: 30,
        ..super::play::tcp(CLIENT, 40000, SERVER, 80, "A", 101, 101, b"")
    };
    play.segment(&cut).up("A", 131, 101, b"more");
    assert_eq!((play.notes.chunks, play.notes.gaps.as_slice()), (2, &[(Direction::Up, 30)][..]));
    assert_eq!(play.notes.up, b"more");
}

#[test]
fn datagrams_are_told_where_somebody_listens() {
    let question = super::play::datagram(17, CLIENT, 40000, SERVER, 53, b"who?");
    let mut play = Play::reading();
    play.segment(&question);
    assert_eq!(play.notes.datagrams, b"who?");
    let mut play = Play::new();
    play.segment(&question);
    assert!(play.notes.datagrams.is_empty());
}

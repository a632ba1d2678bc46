//! `conn_state`, history, direction, round trips and timeouts, conversation by conversation.

use super::play::{CLIENT, MS, Play, SECOND, SERVER, datagram, tcp};
use crate::decode::mapped;
use crate::flow::{EndReason, UNKNOWN};

fn state_of(play: &mut Play) -> (&'static str, String) {
    let ended = play.only();
    (ended.state, ended.history)
}

#[test]
fn a_whole_conversation_is_sf() {
    let mut play = Play::new();
    play.handshake()
        .up("PA", 101, 101, b"question")
        .down("A", 101, 109, b"")
        .down("PA", 101, 109, b"answer")
        .up("FA", 109, 107, b"")
        .down("FA", 107, 110, b"")
        .up("A", 110, 108, b"");
    let ended = play.only();
    assert_eq!((ended.state, ended.history.as_str()), ("SF", "ShADadFf"));
    assert_eq!(ended.reason, EndReason::Fin);
    assert_eq!(ended.rtt, (MS, MS));
    assert_eq!(ended.packets, (5, 4));
    assert_eq!(ended.missed, [0, 0]);
}

#[test]
fn every_state_of_zeek() {
    type Script = fn(&mut Play) -> &mut Play;
    let scripts: [(&str, &str, Script); 13] = [
        ("S0", "S", |p| p.up("S", 100, 0, b"")),
        ("S1", "ShA", |p| p.handshake()),
        ("REJ", "Sr", |p| p.up("S", 100, 0, b"").down("RA", 0, 101, b"")),
        ("S2", "ShAF", |p| p.handshake().up("FA", 101, 101, b"")),
        ("S3", "ShAf", |p| p.handshake().down("FA", 101, 101, b"")),
        ("RSTO", "ShAR", |p| p.handshake().up("R", 101, 0, b"")),
        ("RSTR", "ShAr", |p| p.handshake().down("R", 101, 0, b"")),
        ("RSTOS0", "SR", |p| p.up("S", 100, 0, b"").up("R", 101, 0, b"")),
        ("RSTRH", "^hr", |p| p.down("SA", 100, 101, b"").down("R", 101, 0, b"")),
        ("SH", "SF", |p| p.up("S", 100, 0, b"").up("F", 101, 0, b"")),
        ("SHR", "^hf", |p| p.down("SA", 100, 101, b"").down("FA", 101, 101, b"")),
        ("OTH", "DA", |p| p.up("A", 900, 900, b"x").up("A", 901, 900, b"")),
        ("SF", "ShAFf", |p| p.handshake().up("FA", 101, 101, b"").down("FA", 101, 102, b"")),
    ];
    for (state, history, script) in scripts {
        let mut play = Play::new();
        script(&mut play);
        assert_eq!(state_of(&mut play), (state, history.to_owned()));
    }
}

/// What Zeek says of the same packets.
#[test]
fn a_handshake_seen_in_part_is_what_zeek_takes_it_for() {
    type Script = fn(&mut Play) -> &mut Play;
    let scripts: [(&str, &str, Script); 5] = [
        ("S1", "Sh", |p| p.up("S", 100, 0, b"").down("SA", 100, 101, b"")),
        ("RSTR", "Shr", |p| {
            p.up("S", 100, 0, b"").down("SA", 100, 101, b"").down("R", 101, 0, b"")
        }),
        ("RSTO", "ShR", |p| p.up("S", 100, 0, b"").down("SA", 100, 101, b"").up("R", 101, 0, b"")),
        ("S1", "^hADd", |p| {
            p.down("SA", 100, 101, b"")
                .up("A", 101, 101, b"")
                .up("PA", 101, 101, b"question")
                .down("PA", 101, 109, b"answer")
        }),
        ("S0", "SAD", |p| {
            p.up("S", 100, 0, b"").up("A", 101, 101, b"").up("PA", 101, 101, b"question")
        }),
    ];
    for (state, history, script) in scripts {
        let mut play = Play::new();
        script(&mut play);
        assert_eq!(state_of(&mut play), (state, history.to_owned()));
    }
}

#[test]
fn a_reset_behind_fins_leaves_the_end_regular() {
    let mut play = Play::new();
    play.handshake().up("FA", 101, 101, b"").down("FA", 101, 102, b"").down("R", 102, 0, b"");
    assert_eq!(state_of(&mut play), ("SF", "ShAFfr".to_owned()));
    let mut play = Play::new();
    play.handshake().up("FA", 101, 101, b"").up("R", 102, 0, b"").down("FA", 101, 102, b"");
    assert_eq!(state_of(&mut play), ("SF", "ShAFRf".to_owned()));
    let mut play = Play::new();
    play.handshake().up("FA", 101, 101, b"").up("R", 102, 0, b"");
    assert_eq!(state_of(&mut play), ("RSTO", "ShAFR".to_owned()));
}

#[test]
fn an_answer_seen_first_is_turned_round() {
    let client = (mapped(CLIENT), 40000);
    let mut play = Play::new();
    play.down("SA", 100, 101, b"").up("A", 101, 101, b"");
    assert_eq!(play.only().src, client);
    let mut play = Play::new();
    play.down("A", 100, 101, b"late");
    assert_eq!(play.only().src, client);
    let mut play = Play::new();
    play.segment(&datagram(17, SERVER, 53, CLIENT, 40000, b"answer"));
    let ended = play.only();
    assert_eq!((ended.src, ended.state, ended.history.as_str()), (client, "SHR", "^d"));
}

#[test]
fn a_broadcast_from_a_service_port_is_no_answer() {
    let mut play = Play::new();
    play.segment(&datagram(17, SERVER, 137, [255, 255, 255, 255], 40000, b"here"));
    assert_eq!(play.only().src, (mapped(SERVER), 137));
}

#[test]
fn udp_states() {
    let question = datagram(17, CLIENT, 40000, SERVER, 53, b"q");
    let answer = datagram(17, SERVER, 53, CLIENT, 40000, b"a");
    let mut play = Play::new();
    play.segment(&question);
    assert_eq!(state_of(&mut play), ("S0", "D".to_owned()));
    let mut play = Play::new();
    play.segment(&question).segment(&answer);
    assert_eq!(state_of(&mut play), ("SF", "Dd".to_owned()));
}

#[test]
fn a_ping_and_its_reply_are_one_connection_whichever_came_first() {
    let request = datagram(1, CLIENT, 8, SERVER, 0, b"ping");
    let reply = datagram(1, SERVER, 0, CLIENT, 0, b"ping");
    for pair in [[&request, &reply], [&reply, &request]] {
        let mut play = Play::new();
        play.segment(pair[0]).segment(pair[1]);
        let ended = play.only();
        assert_eq!((ended.src, ended.packets), ((mapped(CLIENT), 8), (1, 1)));
    }
}

#[test]
fn a_repeated_syn_leaves_the_round_trip_open() {
    let mut play = Play::new();
    play.up("S", 100, 0, b"").up("S", 100, 0, b"").down("SA", 100, 101, b"").up("A", 101, 101, b"");
    assert_eq!(play.only().rtt, (UNKNOWN, UNKNOWN));
}

#[test]
fn silence_ends_connections_after_zeeks_timeouts() {
    let attempt = tcp(CLIENT, 40000, SERVER, 80, "S", 100, 0, b"");
    let udp = datagram(17, CLIENT, 40000, SERVER, 53, b"q");
    for (segment, seconds) in [(&attempt, 5), (&udp, 60)] {
        let mut play = Play::new();
        play.segment(segment).wait(seconds * SECOND - 2 * MS);
        assert_eq!(play.notes.ended.len(), 0);
        play.wait(200 * MS);
        assert_eq!(play.notes.ended[0].reason, EndReason::Idle);
    }
    let mut play = Play::new();
    play.handshake().wait(299 * SECOND);
    assert_eq!(play.notes.ended.len(), 0);
    play.wait(2 * SECOND);
    assert_eq!(play.notes.ended[0].reason, EndReason::Idle);
}

#[test]
fn a_reset_and_both_fins_end_soon() {
    let mut play = Play::new();
    play.handshake().up("R", 101, 0, b"").wait(300 * MS);
    assert_eq!(play.notes.ended[0].reason, EndReason::Rst);
    let mut play = Play::new();
    play.handshake().up("FA", 101, 101, b"").down("FA", 101, 102, b"").wait(4 * SECOND);
    assert_eq!(play.notes.ended.len(), 0);
    play.wait(2 * SECOND);
    assert_eq!(play.notes.ended[0].reason, EndReason::Fin);
}

#[test]
fn a_packet_after_the_timeout_is_a_new_connection_however_the_wheel_turns() {
    let udp = datagram(17, CLIENT, 40000, SERVER, 53, b"q");
    let mut play = Play::new();
    play.segment(&udp);
    play.now += 60 * SECOND;
    play.segment(&udp);
    assert_eq!(play.end().len(), 2);
}

#[test]
fn ports_used_again_are_another_connection_with_another_uid() {
    let mut play = Play::new();
    play.up("S", 100, 0, b"");
    play.now -= MS;
    play.down("RA", 0, 101, b"");
    play.now -= MS;
    play.up("S", 500, 0, b"");
    let ended = play.end();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0].reason, EndReason::Reused);
    assert_ne!(ended[0].uid, ended[1].uid);
}

#[test]
fn windows_that_close_are_counted_once_each() {
    let mut play = Play::new();
    play.handshake();
    for flags in ["A0", "A0", "A", "A0"] {
        play.down(flags, 101, 101, b"");
    }
    let ended = play.only();
    assert_eq!((ended.zero_windows, ended.history.as_str()), ([0, 2], "ShAaw"));
}

#[test]
fn wrong_checksums_are_noted_and_change_no_state() {
    let mut play = Play::new();
    let syn = tcp(CLIENT, 40000, SERVER, 80, "S", 100, 0, b"");
    play.segment(&crate::decode::Segment { checksum_ok: false, ..syn.clone() }).segment(&syn);
    assert_eq!(state_of(&mut play), ("S0", "CS".to_owned()));
}

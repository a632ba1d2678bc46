//! TCP segments in any order: streams add up, bounds hold, each connection opens and ends once.
#![no_main]

#[path = "reassembly/pieces.rs"]
mod pieces;
#[path = "reassembly/play.rs"]
mod play;
#[path = "reassembly/watcher.rs"]
mod watcher;

use libfuzzer_sys::fuzz_target;

use play::{Play, Settings};

// Input: a capture, whose packets are followed; or a byte of kind (odd: pieces of one stream,
// even: segments for a flow table) and what that kind reads. So captures are good seeds.
fuzz_target!(|input: &[u8]| {
    match input {
        [0xd4, 0xc3, ..] | [0xa1, 0xb2, ..] | [0x0a, 0x0d, 0x0d, 0x0a, ..] => follow_capture(input),
        [kind, rest @ ..] if kind % 2 == 1 => pieces::put_together(rest),
        [_, choice, steps @ ..] => follow_segments(*choice, steps),
        _ => {}
    }
});

fn follow_capture(input: &[u8]) {
    let settings = Settings::of(input.last().copied().unwrap_or(0), true);
    let packets = |play: &mut Play| play.capture(input);
    assert!(settings.play(packets).same(&settings.play(packets)), "the seed changes nothing");
}

fn follow_segments(choice: u8, steps: &[u8]) {
    let settings = Settings::of(choice, false);
    let steps = |play: &mut Play| play.steps(steps);
    let events = settings.play(steps);
    assert!(events.same(&settings.play(steps)), "the seed changes nothing");
    let unread = settings.unread().play(steps);
    assert!(!settings.roomy() || events.same_rows(&unread), "who reads streams changes no row");
}

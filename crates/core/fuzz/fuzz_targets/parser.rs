//! A conversation as fuzz input, for the targets of all parsers.

use tidegate_core::flow::Direction;
use tidegate_core::protocols::{Conversation, Settings};
use tidegate_core::tables::Batch;

/// More memory than this no parser may hold.
const MEMORY: usize = 1 << 20;

/// Something that was said: which way, after how many lost bytes, what.
type Piece<'a> = (Direction, u64, &'a [u8]);

/// Plays a conversation to the parser of a service, or to all with "". Input: pieces, each with a
/// byte of flags (1: from the server, 2: lost bytes before it) and two of length.
///
/// Asserts that memory has a bound and is given back, and for streams that the rows do not depend
/// on how the bytes were cut into pieces.
pub fn play(service: &str, input: &[u8]) {
    let pieces = pieces(input);
    let whole = heard(service, &pieces, usize::MAX);
    let stream =
        Conversation::speaking(service, settings()).is_none_or(|one| one.flow.key.proto == 6);
    if stream && !(recognises(service, input) && pieces.iter().any(|(_, gap, _)| *gap > 0)) {
        for size in [1, 7] {
            let cut = heard(service, &pieces, size);
            for (whole, cut) in whole.iter().zip(&cut) {
                assert_eq!(whole.rows, cut.rows, "{}: cut into {size}", whole.table);
            }
        }
    }
}

/// Whether it has to be found out what is said. After lost bytes that is done where a chunk begins,
/// so that it does matter how the bytes were cut.
fn recognises(service: &str, input: &[u8]) -> bool {
    const GIVES_WAY: &[&[u8]] = &[b"CONNECT"];
    let says = |word: &&[u8]| input.windows(word.len()).any(|at| at == *word);
    matches!(service, "" | "smtp") || GIVES_WAY.iter().any(says)
}

fn settings() -> Settings {
    Settings { max_parser_buffers: MEMORY, ..Settings::default() }
}

fn pieces(mut input: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some((&[flags, l0, l1], rest)) = input.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([l0, l1])).min(rest.len());
        let (data, next) = rest.split_at(length);
        let direction = if flags & 1 == 0 { Direction::Up } else { Direction::Down };
        pieces.push((direction, if flags & 2 == 0 { 0 } else { 100 }, data));
        input = next;
    }
    pieces
}

/// The rows of all tables, time standing still.
fn heard(service: &str, pieces: &[Piece<'_>], size: usize) -> Vec<Batch> {
    let talk = Conversation::speaking(service, settings());
    let mut talk = talk.unwrap_or_else(|| Conversation::stream(9, settings()));
    talk.pace(0);
    for (direction, gap, data) in pieces {
        if *gap > 0 {
            talk.say(*direction, *gap, &[]);
        }
        for data in data.chunks(size.min(data.len()).max(1)) {
            talk.say(*direction, 0, data);
        }
        assert!(talk.protocols.buffered() <= MEMORY, "more memory than there is");
    }
    talk.end();
    assert_eq!(talk.protocols.buffered(), 0, "memory was not given back");
    talk.rows().take()
}

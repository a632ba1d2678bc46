//! Properties of reassembly: any order and any overlap of a stream gives the stream.

use proptest::prelude::*;

use crate::flow::Reassembly;
use crate::flow::reassembly::{MAX_PIECES, PIECE_COST};

/// A stream, and cuts of it in any order that together cover it.
fn cuts() -> impl Strategy<Value = (Vec<u8>, Vec<(usize, usize)>)> {
    (1usize..400).prop_flat_map(|length| {
        let stream = proptest::collection::vec(any::<u8>(), length);
        let overlaps = proptest::collection::vec((0..length, 1usize..60), 0..60);
        // At least 4 bytes each: the bound on waiting pieces has tests of its own.
        let piece = 4usize..50;
        (stream, overlaps, piece, any::<u64>()).prop_map(
            move |(stream, mut cuts, piece, shuffle)| {
                cuts.extend((0..length).step_by(piece).map(|start| (start, piece)));
                // A shuffle that depends on nothing but the input.
                cuts.sort_by_key(|&(start, size)| {
                    (start as u64 * 31 + size as u64).wrapping_mul(shuffle | 1)
                });
                (stream, cuts)
            },
        )
    })
}

proptest! {
    #[test]
    fn any_order_and_overlap_gives_the_stream((stream, cuts) in cuts()) {
        let (mut reassembly, mut seen) = (Reassembly::default(), Vec::new());
        let (mut fresh, mut conflicting) = (0, 0);
        for (start, size) in cuts {
            let data = &stream[start..(start + size).min(stream.len())];
            let mut ready = |gap: u64, data: &[u8]| { assert_eq!(gap, 0); seen.extend_from_slice(data); };
            let outcome = reassembly.insert(start as u64, data.len() as u64, data, &mut ready);
            fresh += outcome.fresh;
            conflicting += outcome.conflicting;
        }
        prop_assert_eq!(&seen, &stream);
        prop_assert_eq!(fresh, stream.len() as u64);
        prop_assert_eq!(conflicting, 0);
        prop_assert!(reassembly.is_empty());
        prop_assert_eq!(reassembly.buffered(), 0);
    }

    /// Whatever comes, positions only grow, gaps and bytes add up, buffers are accounted for.
    #[test]
    fn gaps_and_bytes_add_up(steps in proptest::collection::vec((0u64..2000, 0usize..300, any::<bool>(), 0u8..8), 1..200)) {
        let (mut reassembly, mut total, mut pieces) = (Reassembly::default(), 0u64, 0u64);
        for (offset, size, known, step) in steps {
            let data = vec![b'x'; if known { size } else { 0 }];
            let mut ready = |gap: u64, data: &[u8]| { total += gap + data.len() as u64; };
            match step {
                0 => { reassembly.give_up(offset, &mut ready); }
                1 => { reassembly.skip(&mut ready); }
                _ => { pieces += reassembly.insert(offset, size as u64, &data, &mut ready).fresh; }
            }
            prop_assert_eq!(total, reassembly.next());
            prop_assert!(reassembly.buffered() as u64 <= pieces + (MAX_PIECES * PIECE_COST) as u64);
        }
    }
}

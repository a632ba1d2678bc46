//! An observer that checks what a flow table tells while it is told, and writes it down.

use std::collections::BTreeMap;

use tidegate_core::decode::Segment;
use tidegate_core::flow::{Chunk, Direction, EndReason, Flow, Observed, Observer, conn_row};
use tidegate_core::tables::conn::ConnTable;
use tidegate_core::tables::{Batch, Table};

/// All that was told.
pub struct Events {
    rows: Batch,
    chunks: Vec<(String, bool, u64, Vec<u8>)>,
}

impl Events {
    /// Whether the table `conn` is the same.
    pub fn same_rows(&self, other: &Self) -> bool {
        self.rows.rows == other.rows.rows
    }

    /// Whether everything is.
    pub fn same(&self, other: &Self) -> bool {
        self.same_rows(other) && self.chunks == other.chunks
    }
}

/// What is known of an open connection.
#[derive(Default)]
struct Known {
    announced: bool,
    /// Where each direction's bytes must go on, when they tell their place.
    expected: [Option<u16>; 2],
}

/// Listens to a flow table.
#[derive(Default)]
pub struct Watcher {
    wants_streams: bool,
    numbered: bool,
    /// Connections opened and ended.
    pub opened: u32,
    pub ended: u32,
    /// Bytes of streams handed on.
    pub handed: usize,
    open: BTreeMap<String, Known>,
    rows: ConnTable,
    chunks: Vec<(String, bool, u64, Vec<u8>)>,
}

impl Watcher {
    /// `numbered`: each pair of payload bytes is its sequence number, halved.
    pub fn new(wants_streams: bool, numbered: bool) -> Self {
        Self { wants_streams, numbered, ..Self::default() }
    }

    pub fn finish(mut self) -> Events {
        assert_eq!(self.opened, self.ended, "what was opened has ended");
        assert!(self.open.is_empty(), "nothing stays open");
        Events { rows: self.rows.finish(), chunks: self.chunks }
    }

    fn row_of(&mut self, flow: &Flow, end: Option<EndReason>) {
        conn_row(&mut self.rows, flow, end, &Observed { sensor: "", interfaces: &[] });
    }
}

impl Observer for Watcher {
    fn listens(&self, _: &Flow) -> bool {
        self.wants_streams
    }

    fn chunk(&mut self, flow: &mut Flow, chunk: &Chunk<'_>) {
        assert!(self.wants_streams, "nobody asked for chunks");
        assert!(chunk.gap > 0 || !chunk.data.is_empty(), "a chunk has something");
        self.handed += chunk.data.len();
        // A first segment's bytes come before it is announced.
        let known = self.open.entry(flow.uid().to_string()).or_default();
        if self.numbered {
            follow_numbers(&mut known.expected[chunk.direction as usize], chunk);
        }
        let up = chunk.direction == Direction::Up;
        self.chunks.push((flow.uid().to_string(), up, chunk.gap, chunk.data.to_vec()));
    }

    fn datagram(&mut self, _: &mut Flow, _: Direction, _: &Segment<'_>) {}

    fn opened(&mut self, flow: &mut Flow) {
        self.opened += 1;
        let known = self.open.entry(flow.uid().to_string()).or_default();
        assert!(!known.announced, "opened twice");
        known.announced = true;
        assert_eq!(flow.up.packets.min(1) + flow.down.packets.min(1), 1, "one segment was counted");
    }

    fn row(&mut self, flow: &Flow) {
        self.row_of(flow, None);
        let uid = flow.uid().to_string();
        assert!(self.open.get(&uid).is_some_and(|known| known.announced), "is open");
    }

    fn ended(&mut self, flow: &mut Flow, reason: EndReason) {
        self.row_of(flow, Some(reason));
        assert!(flow.first <= flow.last);
        self.ended += 1;
        assert!(
            self.open.remove(flow.uid().as_str()).is_some_and(|known| known.announced),
            "ended once, after it was opened"
        );
    }
}

/// Bytes and gaps together are the movement of the stream: the numbers in the bytes say so.
fn follow_numbers(expected: &mut Option<u16>, chunk: &Chunk<'_>) {
    assert!(chunk.gap % 2 == 0 && chunk.data.len() % 2 == 0, "all comes in pairs");
    *expected = expected.map(|number| number.wrapping_add((chunk.gap / 2) as u16));
    for pair in chunk.data.chunks_exact(2) {
        let number = u16::from_be_bytes([pair[0], pair[1]]);
        assert!(expected.is_none_or(|expected| expected == number), "the stream jumps");
        *expected = Some(number.wrapping_add(1));
    }
}

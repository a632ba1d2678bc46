//! One direction of a stream against a model that knows every byte.

use tidegate_core::flow::Reassembly;

/// Offsets of the model: from 0, or up to the last one there is.
const SPAN: usize = 1 << 13;
/// What the bookkeeping of waiting pieces may cost: 256 of them.
const OVERHEAD: usize = 64 << 10;

/// A byte of the stream, as far as anything is known of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Never,
    /// It was sent, but not captured.
    Cut,
    Byte(u8),
}

struct Model {
    base: u64,
    seen: Vec<Seen>,
    /// Up to where it was handed on.
    next: usize,
}

impl Model {
    /// What was handed on must be what was seen first; a gap hides no byte.
    fn ready(&mut self, gap: u64, data: &[u8]) {
        let end = self.next + gap as usize;
        let hidden = self.seen[self.next..end].iter().any(|seen| matches!(seen, Seen::Byte(_)));
        assert!(!hidden, "a gap of {gap} hides bytes");
        for (seen, byte) in self.seen[end..].iter().zip(data) {
            assert!(*seen == Seen::Byte(*byte), "first bytes win");
        }
        self.next = end + data.len();
    }

    /// Returns how many bytes are new, and how many contradict what waits.
    fn insert(&mut self, start: usize, len: usize, data: &[u8]) -> (u64, u64) {
        let (mut fresh, mut conflicting) = (0, 0);
        for at in start.max(self.next)..start + len {
            let new = data.get(at - start).map_or(Seen::Cut, |byte| Seen::Byte(*byte));
            match (self.seen[at], new) {
                (Seen::Never, new) => {
                    self.seen[at] = new;
                    fresh += 1;
                }
                (Seen::Byte(old), Seen::Byte(new)) => conflicting += u64::from(old != new),
                _ => {}
            }
        }
        (fresh, conflicting)
    }

    fn check(&self, stream: &Reassembly) {
        assert_eq!(stream.next(), self.base + self.next as u64, "bytes and gaps are the movement");
        let waiting = &self.seen[self.next..];
        let bytes = waiting.iter().filter(|seen| matches!(seen, Seen::Byte(_))).count();
        let held = stream.buffered();
        assert!(held >= bytes && held <= bytes + OVERHEAD, "{held} held for {bytes} bytes");
        assert_eq!(stream.is_empty(), waiting.iter().all(|seen| *seen == Seen::Never));
        assert!(!stream.is_empty() || held == 0);
        assert!(
            waiting.first().is_none_or(|seen| *seen == Seen::Never),
            "what is ready is handed on"
        );
    }
}

/// Input: a byte of base, then steps of 5 bytes: kind, offset (2), length, how much of it was cut.
pub fn put_together(input: &[u8]) {
    let Some((&base, mut rest)) = input.split_first() else { return };
    let base = if base % 2 == 0 { 0 } else { u64::MAX - SPAN as u64 };
    let mut stream = Reassembly::default();
    assert_eq!(stream.give_up(base, &mut |gap, _: &[u8]| assert_eq!(gap, base)).0, base);
    let mut model = Model { base, seen: vec![Seen::Never; SPAN], next: 0 };
    while let Some((&[kind, high, low, length, cut], next)) = rest.split_first_chunk() {
        rest = next;
        let start = usize::from(u16::from_be_bytes([high, low])) % (SPAN - 255);
        let data = vec![kind; usize::from(length.saturating_sub(cut))];
        step(kind % 8, start, usize::from(length), &data, &mut stream, &mut model);
        model.check(&stream);
    }
    while stream.skip(&mut |gap, data: &[u8]| model.ready(gap, data)) > 0 {}
    model.check(&stream);
    assert!(stream.is_empty(), "nothing waits behind the last gap");
}

fn step(
    kind: u8,
    start: usize,
    len: usize,
    data: &[u8],
    stream: &mut Reassembly,
    model: &mut Model,
) {
    let (offset, before) = (model.base + start as u64, model.next);
    match kind {
        0 => {
            let (missing, gaps) =
                stream.give_up(offset, &mut |gap, data: &[u8]| model.ready(gap, data));
            assert!(missing <= (model.next - before) as u64 && u64::from(gaps) <= missing);
            assert!(model.next >= start, "what was given up is behind us");
        }
        1 => {
            let missing = stream.skip(&mut |gap, data: &[u8]| model.ready(gap, data));
            assert!(missing <= (model.next - before) as u64);
        }
        _ => {
            let expected = model.insert(start, len, data);
            let outcome = stream
                .insert(offset, len as u64, data, &mut |gap, data: &[u8]| model.ready(gap, data));
            assert_eq!((outcome.fresh, outcome.conflicting), expected);
        }
    }
}

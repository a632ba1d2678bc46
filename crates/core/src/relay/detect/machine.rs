//! A few regular expressions as one machine: a step a byte, and after each it is known which of them hold, and which may.
//!
//! The states are those of a DFA of `regex-automata` that reports every pattern, with three sets of patterns for each,
//! computed once: those that hold here whatever comes, those that hold if nothing comes, and those that something that
//! may come would make hold. So no more is waited for than can make a difference.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use regex_automata::MatchKind;
use regex_automata::dfa::Automaton;
use regex_automata::dfa::dense;
use regex_automata::nfa::thompson;
use regex_automata::util::alphabet::Unit;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_syntax::hir::Hir;

/// Patterns of one machine: as many as a set has places.
pub(super) const MOST: usize = 64;

/// Bytes of a machine's states, while they are found and then.
const STATES: usize = 1 << 20;

/// Bytes of what the states are made of.
const PARTS: usize = 1 << 20;

/// What is known in a state; each bit is a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// It holds, whatever comes.
    pub holds: u64,
    /// It holds if nothing comes.
    pub ends: u64,
    /// It may come to hold, or holds.
    pub may: u64,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// The column of each byte.
    columns: [u8; 256],
    width: u32,
    /// Rows of states, one behind the other: where the next one's row begins, by column, with [`NEWS`].
    next: Box<[u32]>,
    marks: Box<[Mark]>,
}

/// The machine would take too much memory.
#[derive(Debug)]
pub(super) struct TooLarge;

/// The state in which everything begins.
pub(super) const BEGIN: u32 = 0;

/// Set where a step goes to a state of which other things are known than before: marks need not be looked at elsewhere.
const NEWS: u32 = 1 << 31;

impl Machine {
    /// Puts patterns together; the first is bit 0.
    pub(super) fn new(patterns: &[&Hir]) -> Result<Self, TooLarge> {
        let parts = thompson::Config::new().utf8(false).nfa_size_limit(Some(PARTS));
        let mut compiler = thompson::Compiler::new();
        let parts = compiler.configure(parts.shrink(false)).build_many_from_hir(patterns);
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(regex_automata::dfa::StartKind::Unanchored)
            .accelerate(false)
            .dfa_size_limit(Some(STATES))
            .determinize_size_limit(Some(4 * STATES));
        let mut builder = dense::Builder::new();
        let dfa = builder.configure(config).build_from_nfa(&parts.map_err(|_| TooLarge)?);
        Found::new(&dfa.map_err(|_| TooLarge)?).map(Found::machine).ok_or(TooLarge)
    }

    /// The state after a byte.
    pub(super) fn step(&self, state: u32, byte: u8) -> u32 {
        let column = u32::from(self.column(byte));
        (self.entry(state * self.width + column) & !NEWS) / self.width
    }

    /// Steps on over bytes, up to the first that tells something new: the state, and how many bytes that were.
    pub(super) fn run(&self, state: u32, bytes: &[u8]) -> (u32, usize) {
        let mut row = state * self.width;
        let mut steps = bytes.iter().map(|byte| {
            let entry = self.entry(row + u32::from(self.column(*byte)));
            row = entry & !NEWS;
            entry & NEWS != 0
        });
        let read = steps.position(|news| news).map_or(bytes.len(), |at| at + 1);
        (row / self.width, read)
    }

    #[inline]
    fn entry(&self, at: u32) -> u32 {
        self.next.get(at as usize).copied().unwrap_or(BEGIN)
    }

    /// What is known in a state.
    #[inline]
    pub(super) fn mark(&self, state: u32) -> Mark {
        self.marks.get(state as usize).copied().unwrap_or_default()
    }

    /// States.
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// The column of a byte: bytes of one column are the same everywhere.
    pub(super) fn column(&self, byte: u8) -> u8 {
        self.columns.get(usize::from(byte)).copied().unwrap_or(0)
    }

    /// What is known in each state.
    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }
}

/// The states of a DFA in the order they were reached.
struct Found<'a> {
    dfa: &'a dense::DFA<Vec<u32>>,
    /// A byte of each class.
    bytes: Vec<u8>,
    states: Vec<StateID>,
    /// By class, row after row.
    next: Vec<u32>,
}

impl<'a> Found<'a> {
    fn new(dfa: &'a dense::DFA<Vec<u32>>) -> Option<Self> {
        let bytes = dfa.byte_classes().representatives(0..=255);
        let bytes: Vec<u8> = bytes.filter_map(Unit::as_u8).collect();
        let begin = dfa.start_state(&start::Config::new()).ok()?;
        let mut found = Self { dfa, bytes, states: vec![begin], next: Vec::new() };
        let mut numbers = HashMap::from([(begin, BEGIN)]);
        let mut at = 0;
        while let Some(&state) = found.states.get(at) {
            for byte in &found.bytes {
                let next = dfa.next_state(state, *byte);
                let number = match numbers.entry(next) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => {
                        found.states.push(next);
                        *entry.insert(found.states.len() as u32 - 1)
                    }
                };
                found.next.push(number);
            }
            at += 1;
        }
        Some(found)
    }

    fn machine(self) -> Machine {
        let classes = self.dfa.byte_classes();
        let mut columns = [0; 256];
        for (byte, column) in columns.iter_mut().enumerate() {
            let class = classes.get(byte as u8);
            let of = |rep: &u8| classes.get(*rep) == class;
            *column = self.bytes.iter().position(of).unwrap_or(0) as u8;
        }
        let marks = self.marks();
        let width = self.bytes.len() as u32;
        let mark = |state: usize| marks.get(state).copied().unwrap_or_default();
        let next = self.next.iter().enumerate().map(|(at, next)| {
            let (before, after) = (mark(at / self.bytes.len()), mark(*next as usize));
            let news = after.holds != 0 || after.may != before.may;
            (next * width) | if news { NEWS } else { 0 }
        });
        let next = next.collect();
        Machine { columns, width, next, marks: marks.into_boxed_slice() }
    }

    fn marks(&self) -> Vec<Mark> {
        let matched: Vec<u64> = self.states.iter().map(|state| self.matched(*state)).collect();
        let of = |state: &u32| matched.get(*state as usize).copied().unwrap_or(0);
        let rows = self.next.chunks(self.bytes.len().max(1));
        let mut marks: Vec<Mark> = self
            .states
            .iter()
            .zip(rows)
            .zip(&matched)
            .map(|((state, row), matched)| {
                // A match is reported a byte late: where every byte, and the end, reports it, it is one.
                let ends = self.matched(self.dfa.next_eoi_state(*state));
                let sure = row.iter().fold(ends, |sure, next| sure & of(next));
                let next = row.iter().fold(ends, |any, next| any | of(next));
                Mark { holds: matched | sure, ends: ends | matched, may: next | matched }
            })
            .collect();
        self.spread(&mut marks);
        marks
    }

    /// Patterns that a state reports.
    fn matched(&self, state: StateID) -> u64 {
        if !self.dfa.is_match_state(state) {
            return 0;
        }
        let count = self.dfa.match_len(state);
        (0..count).fold(0, |set, at| set | 1 << self.dfa.match_pattern(state, at).as_usize())
    }

    /// What may come in a state may come in those before it.
    fn spread(&self, marks: &mut [Mark]) {
        let mut before = vec![Vec::new(); marks.len()];
        for (state, row) in self.next.chunks(self.bytes.len().max(1)).enumerate() {
            for next in row {
                if let Some(list) = before.get_mut(*next as usize)
                    && list.last() != Some(&state)
                {
                    list.push(state);
                }
            }
        }
        let mut changed: Vec<usize> = (0..marks.len()).collect();
        while let Some(state) = changed.pop() {
            let may = marks.get(state).map_or(0, |mark| mark.may);
            for earlier in before.get(state).into_iter().flatten() {
                if let Some(mark) = marks.get_mut(*earlier)
                    && may & !mark.may != 0
                {
                    mark.may |= may;
                    changed.push(*earlier);
                }
            }
        }
    }
}

//! Rows as lines of JSON by a layout: which keys a line has, nested or plain, what stands there,
//! and how it is written.
//!
//! A line is ASCII: whatever a stranger sent, no control or direction mark is left in it. A key whose
//! value is missing is left out, and so is an object in which nothing is. Numbers are written as
//! Python writes them.

mod style;
mod tree;

use std::collections::HashMap;

use arrow_array::RecordBatch;

use super::cell::Cell;
use super::unwritable;
use crate::error::Error;
pub use style::Style;
use tree::Object;

/// What lines look like.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The text column that says of which kind a row is.
    pub by: String,
    /// The keys of each kind, in their order; with `None`, its rows are left out.
    pub kinds: Vec<(String, Option<Vec<Key>>)>,
    /// The keys of rows of any other kind.
    pub others: Vec<Key>,
}

/// A key of a line.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where it stands: names of objects and its own, with dots between them.
    pub path: String,
    /// What stands there.
    pub value: Value,
}

/// What stands at a key.
#[derive(Clone, Debug)]
pub enum Value {
    /// The same in every line, as JSON.
    Constant(String),
    /// A column's value, written in a style.
    Column(String, Style),
    /// One JSON where a column has a value (that is not empty), another where it has none.
    Either(String, [String; 2]),
    /// A text put together.
    Joined(Vec<Piece>),
}

/// A piece of a text that is put together.
#[derive(Clone, Debug)]
pub struct Piece {
    /// What is written before the column's value.
    pub before: String,
    /// The column.
    pub column: String,
    /// What is written for a value that is missing or empty; with `None` the piece is left out.
    pub missing: Option<String>,
}

/// Writes rows by a layout.
#[derive(Debug)]
pub struct LineWriter {
    columns: Vec<String>,
    /// Where the column of kinds stands among them.
    by: usize,
    kinds: Vec<(String, Option<Object>)>,
    others: Object,
    scratch: Vec<u8>,
}

/// The columns that a layout names, each once, by their places in a list.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    fn place(&mut self, name: &str) -> usize {
        *self.places.entry(name.to_owned()).or_insert_with(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }
}

impl LineWriter {
    /// Takes a layout; an error says what is wrong with it.
    pub fn new(layout: &Layout) -> Result<Self, Error> {
        let mut columns = Columns::default();
        let by = columns.place(&layout.by);
        let others = Object::new(&layout.others, &mut columns)?;
        let mut kinds = Vec::with_capacity(layout.kinds.len());
        for (kind, keys) in &layout.kinds {
            let keys = keys.as_ref().map(|keys| Object::new(keys, &mut columns)).transpose()?;
            kinds.push((kind.clone(), keys));
        }
        Ok(Self { columns: columns.names, by, kinds, others, scratch: Vec::new() })
    }

    /// Appends a line for each row that is not left out. An error, where a column is not there or
    /// has no text, leaves `out` as it was.
    pub fn write(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut cells = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            let column = rows.column_by_name(name);
            let column = column.ok_or_else(|| Error::Usage(format!("no column \"{name}\"")))?;
            cells.push(Cell::new(column).map_err(|error| unwritable(name, &error))?);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        for row in 0..rows.num_rows() {
            if let Some(keys) = self.keys(&cells, row) {
                if !keys.write(&cells, row, out, &mut scratch) {
                    out.extend_from_slice(b"{}");
                }
                out.push(b'\n');
            }
        }
        self.scratch = scratch;
        Ok(())
    }

    /// The keys that a row has.
    fn keys(&self, cells: &[Cell<'_>], row: usize) -> Option<&Object> {
        let kind = cells.get(self.by).filter(|cell| !cell.is_null(row));
        let kind = kind.and_then(|cell| cell.text(row)).unwrap_or_default();
        let known = self.kinds.iter().find(|(name, _)| name == kind);
        known.map_or(Some(&self.others), |(_, keys)| keys.as_ref())
    }
}

#[cfg(test)]
mod tests;

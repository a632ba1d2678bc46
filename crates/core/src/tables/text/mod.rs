//! Arrow rows as text: TSV, CSV and JSON lines, written column-typed and row by row.
//!
//! | | TSV | CSV | JSON lines |
//! |---|---|---|---|
//! | missing | `-` | empty | `null` |
//! | moment | `2026-11-20T10:00:00.000000000Z` (UTC) | the same | the same, as text |
//! | list, map, struct | compact JSON | compact JSON | native |
//! | bytes | hexadecimal | hexadecimal | hexadecimal text |
//! | NaN, infinity | `NaN`, `inf` | `NaN`, `inf` | `null` |
//! | text | tab, newline, CR, backslash as `\t \n \r \\`, other controls as `\xNN` | RFC 4180; `= + - @ TAB CR` first gets an apostrophe before | RFC 8259 |
//!
//! A TSV text that is exactly `-` is written `\x2d`, so that a missing value stays apart. The
//! apostrophe in CSV keeps spreadsheets from running what somebody put on the wire.

mod cell;
mod escape;
pub mod layout;
mod nested;
mod time;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};

use crate::error::Error;
use cell::Cell;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Tab-separated values.
    Tsv,
    /// Comma-separated values (RFC 4180, lines end in `\n`).
    Csv,
    /// One JSON object per line.
    JsonLines,
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "tsv" => Ok(Self::Tsv),
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::JsonLines),
            _ => Err(Error::Usage(format!("no text format \"{name}\": use tsv, csv or jsonl"))),
        }
    }
}

/// Writes rows of one schema; the header, if any, comes before the first.
#[derive(Debug)]
pub struct TextWriter {
    format: Format,
    header: bool,
    /// The columns' names once rows of a schema have come; later ones must have the same.
    names: Option<Vec<String>>,
    /// What stands before each value: separators, or JSON keys.
    before: Vec<Vec<u8>>,
    scratch: Vec<u8>,
}

impl TextWriter {
    /// A writer that has written nothing. `header` means nothing to JSON lines.
    pub fn new(format: Format, header: bool) -> Self {
        Self { format, header, names: None, before: Vec::new(), scratch: Vec::new() }
    }

    /// Announces the columns: appends the header the first time.
    pub fn schema(&mut self, schema: &Schema, out: &mut Vec<u8>) -> Result<(), Error> {
        let same = |names: &Vec<String>| names.iter().eq(schema.fields().iter().map(|f| f.name()));
        match &self.names {
            Some(names) if same(names) => return Ok(()),
            Some(_) => {
                return Err(Error::Usage("rows with other columns than before".to_owned()));
            }
            None => {}
        }
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        self.before = names.iter().enumerate().map(|(at, name)| self.before(at, name)).collect();
        if self.header && self.format != Format::JsonLines {
            for (name, before) in names.iter().zip(&self.before) {
                out.extend_from_slice(before);
                self.text(name, out);
            }
            out.push(b'\n');
        }
        self.names = Some(names);
        Ok(())
    }

    /// Appends the rows to `out`.
    pub fn write(&mut self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<(), Error> {
        self.schema(rows.schema_ref(), out)?;
        let mut cells = Vec::with_capacity(rows.num_columns());
        for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
            cells.push(Cell::new(array).map_err(|error| unwritable(field.name(), &error))?);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        for row in 0..rows.num_rows() {
            for (cell, before) in cells.iter().zip(&self.before) {
                out.extend_from_slice(before);
                self.cell(cell, row, out, &mut scratch);
            }
            out.extend_from_slice(self.line_end());
        }
        self.scratch = scratch;
        Ok(())
    }

    fn before(&self, at: usize, name: &str) -> Vec<u8> {
        match self.format {
            Format::Tsv if at > 0 => b"\t".to_vec(),
            Format::Csv if at > 0 => b",".to_vec(),
            Format::Tsv | Format::Csv => Vec::new(),
            Format::JsonLines => {
                let mut key = vec![if at == 0 { b'{' } else { b',' }];
                escape::json(name, &mut key);
                key.push(b':');
                key
            }
        }
    }

    fn line_end(&self) -> &'static [u8] {
        match self.format {
            Format::JsonLines if self.before.is_empty() => b"{}\n",
            Format::JsonLines => b"}\n",
            _ => b"\n",
        }
    }

    fn cell(&self, cell: &Cell<'_>, row: usize, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        if self.format == Format::JsonLines {
            return cell.json(row, out);
        }
        if cell.is_null(row) {
            if self.format == Format::Tsv {
                out.push(b'-');
            }
        } else if let Some(text) = cell.text(row) {
            self.text(text, out);
        } else if cell.is_nested() {
            scratch.clear();
            cell.json(row, scratch);
            // Made of valid pieces, so it is valid; a lossy reading could only be the same.
            self.text(&String::from_utf8_lossy(scratch), out);
        } else {
            cell.plain(row, out);
        }
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        match self.format {
            Format::Tsv => escape::tsv(text, out),
            Format::Csv => escape::csv(text, out),
            Format::JsonLines => escape::json(text, out),
        }
    }
}

fn unwritable(column: &str, error: &ArrowError) -> Error {
    Error::Usage(format!("column \"{column}\" cannot be written as text: {error}"))
}

#[cfg(test)]
mod tests;

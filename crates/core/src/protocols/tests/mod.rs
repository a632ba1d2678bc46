//! Parsers, heard without packets.

mod dns;
mod hosts;
mod http;
mod icmp;
mod names;
mod signatures;
mod ssh;
mod starttls;
mod tls;

use crate::tables::Table;
use crate::tables::text::{Format, TextWriter};

/// A table's rows, each as the named columns with a bar between them, `-` where one is missing.
pub(super) fn rows(table: &mut impl Table, columns: &[&str]) -> Vec<String> {
    let batch = table.finish().rows;
    let wanted: Vec<usize> =
        columns.iter().map(|name| batch.schema().index_of(name).unwrap()).collect();
    let mut text = Vec::new();
    let chosen = batch.project(&wanted).unwrap();
    TextWriter::new(Format::Tsv, false).write(&chosen, &mut text).unwrap();
    String::from_utf8(text).unwrap().lines().map(|line| line.replace('\t', "|")).collect()
}

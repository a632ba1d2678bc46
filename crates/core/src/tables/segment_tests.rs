//! Tests of segments: what is whole is read, whatever happened behind it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arrow_array::{ArrayRef, StringArray, UInt64Array};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn rows(from: u64, count: u64) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(from..from + count));
    let texts =
        (from..from + count).map(|number| (number % 3 > 0).then(|| format!("text {number}")));
    let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([("number", numbers, false), ("text", texts, true)])
        .unwrap()
}

/// A segment of three batches, and the file's size after the schema and each of them.
fn three(dir: &TempDir) -> (PathBuf, Vec<RecordBatch>, Vec<u64>) {
    let path = dir.path().join("open.arrows");
    let batches = vec![rows(0, 3), rows(3, 1), rows(4, 5)];
    let mut writer = SegmentWriter::create(&path, &batches[0].schema()).unwrap();
    let mut ends = vec![writer.bytes()];
    for batch in &batches {
        writer.write(batch).unwrap();
        ends.push(writer.bytes());
    }
    writer.sync().unwrap();
    writer.close().unwrap();
    (path, batches, ends)
}

fn read(path: &Path) -> Vec<RecordBatch> {
    Segment::open(path).unwrap().batches().unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn what_is_written_is_read_at_once() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("open.arrows");
    let mut writer = SegmentWriter::create(&path, &rows(0, 1).schema()).unwrap();
    assert!(read(&path).is_empty());
    writer.write(&rows(0, 7)).unwrap();
    assert_eq!(read(&path), [rows(0, 7)]);
    assert_eq!(writer.rows(), 7);
    assert_eq!(writer.bytes(), fs::metadata(&path).unwrap().len());
}

#[test]
fn cut_anywhere_it_gives_the_batches_before_the_cut() {
    let dir = TempDir::new().unwrap();
    let (path, batches, ends) = three(&dir);
    let bytes = fs::read(&path).unwrap();
    let cut = dir.path().join("cut.arrows");
    for length in 0..=bytes.len() {
        fs::write(&cut, &bytes[..length]).unwrap();
        let whole = ends.iter().filter(|end| **end <= length as u64).count();
        assert_eq!(read(&cut), batches[..whole.saturating_sub(1)], "cut at {length}");
        assert_eq!(Segment::open(&cut).unwrap().schema().is_some(), whole > 0);
    }
}

#[test]
fn zeros_behind_the_last_batch_are_no_batch() {
    let dir = TempDir::new().unwrap();
    let (path, batches, ends) = three(&dir);
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(ends[2] as usize);
    bytes.extend([0; 4096]);
    fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path), batches[..2]);
}

#[test]
fn one_that_exists_is_not_overwritten() {
    let dir = TempDir::new().unwrap();
    let (path, batches, _) = three(&dir);
    assert!(SegmentWriter::create(&path, &batches[0].schema()).is_err());
    assert_eq!(read(&path), batches);
}

#[test]
fn becomes_parquet_without_leaving_anything_beside() {
    let dir = TempDir::new().unwrap();
    let (path, _, ends) = three(&dir);
    let parquet = dir.path().join("closed.parquet");
    assert_eq!(Segment::open(&path).unwrap().to_parquet(&parquet).unwrap(), 9);
    let file = fs::File::open(&parquet).unwrap();
    let reader = ::parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 100);
    let total: usize = reader.unwrap().map(|rows| rows.unwrap().num_rows()).sum();
    assert_eq!(total, 9);
    let cut = dir.path().join("cut.arrows");
    fs::write(&cut, &fs::read(&path).unwrap()[..ends[0] as usize]).unwrap();
    let none = dir.path().join("none.parquet");
    assert_eq!(Segment::open(&cut).unwrap().to_parquet(&none).unwrap(), 0);
    let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["closed.parquet", "cut.arrows", "open.arrows"]);
}

/// The bytes of such a segment with its batches and their ends, made once.
fn sample() -> &'static (Vec<u8>, Vec<RecordBatch>, Vec<u64>) {
    static SAMPLE: OnceLock<(Vec<u8>, Vec<RecordBatch>, Vec<u64>)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        let (path, batches, ends) = three(&dir);
        (fs::read(path).unwrap(), batches, ends)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Damage may cost rows, never the program. Batches that end before it stay as they were.
    #[test]
    fn damaged_bytes_never_panic(at in 0_usize..4096, with in any::<[u8; 4]>(), cut in any::<bool>()) {
        let (bytes, batches, ends) = sample();
        let mut bytes = bytes.clone();
        let at = at % (bytes.len() - 4);
        bytes[at..at + 4].copy_from_slice(&with);
        if cut {
            bytes.truncate(at + 4);
        }
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("damaged.arrows");
        fs::write(&path, &bytes).unwrap();
        let segment = Segment::open(&path).unwrap();
        let found: Vec<_> = segment.batches().unwrap().map_while(Result::ok).collect();
        let before = ends.iter().filter(|end| **end <= at as u64).count().saturating_sub(1);
        prop_assert!(found.len() >= before);
        prop_assert_eq!(&found[..before], &batches[..before]);
        for rows in &found {
            prop_assert!(rows.columns().iter().all(|column| column.to_data().validate_full().is_ok()));
        }
    }
}

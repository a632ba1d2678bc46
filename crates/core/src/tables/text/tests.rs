//! Tests of the text formats.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use arrow_array::builder::{MapBuilder, StringBuilder, UInt64Builder};
use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float64Array, Int64Array, IntervalMonthDayNanoArray, ListArray, StringArray, StructArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_buffer::IntervalMonthDayNano;
use arrow_schema::{DataType, Field};
use proptest::prelude::*;

use super::*;

fn written(format: Format, column: ArrayRef) -> String {
    let rows = RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap();
    let mut out = Vec::new();
    TextWriter::new(format, false).write(&rows, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The cells of one column in TSV, CSV and JSON lines.
fn cells(column: ArrayRef) -> [Vec<String>; 3] {
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let json = lines(written(Format::JsonLines, column.clone()));
    let value = |line: &String| line[r#"{"c":"#.len()..line.len() - 1].to_owned();
    [
        lines(written(Format::Tsv, column.clone())),
        lines(written(Format::Csv, column)),
        json.iter().map(value).collect(),
    ]
}

fn plain(column: ArrayRef, texts: &[&str]) {
    let [tsv, csv, json] = cells(column);
    assert_eq!(tsv, texts);
    assert_eq!(csv, texts);
    let unquoted: Vec<_> = json.iter().map(|value| value.trim_matches('"')).collect();
    assert_eq!(unquoted, texts);
}

#[test]
fn numbers() {
    plain(Arc::new(UInt64Array::from(vec![0, u64::MAX])), &["0", "18446744073709551615"]);
    plain(Arc::new(Int64Array::from(vec![i64::MIN, -1])), &["-9223372036854775808", "-1"]);
    plain(Arc::new(Float64Array::from(vec![0.25, -1e300])), &["0.25", "-1e300"]);
    plain(Arc::new(BooleanArray::from(vec![true, false])), &["true", "false"]);
    let decimals = Decimal128Array::from(vec![5, -5, 12345, 0]);
    let decimals = decimals.with_precision_and_scale(38, 2).unwrap();
    plain(Arc::new(decimals), &["0.05", "-0.05", "123.45", "0.00"]);
    let huge = Decimal128Array::from(vec![i128::MAX / 10]).with_precision_and_scale(38, 0).unwrap();
    plain(Arc::new(huge), &["17014118346046923173168730371588410572"]);
}

#[test]
fn floats_that_json_lacks_are_null_there() {
    let values = Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY]));
    let [tsv, csv, json] = cells(values);
    assert_eq!(tsv, ["NaN", "inf"]);
    assert_eq!(csv, tsv);
    assert_eq!(json, ["null", "null"]);
}

#[test]
fn moments_in_every_unit_look_the_same() {
    let nanos = 1_795_168_800_000_000_001;
    plain(
        Arc::new(TimestampNanosecondArray::from(vec![nanos, -1, 951_782_400_000_000_000])),
        &[
            "2026-11-20T10:00:00.000000001Z",
            "1969-12-31T23:59:59.999999999Z",
            "2000-02-29T00:00:00.000000000Z",
        ],
    );
    let zoned = TimestampMicrosecondArray::from(vec![nanos / 1000, i64::MAX]).with_timezone("UTC");
    plain(Arc::new(zoned), &["2026-11-20T10:00:00.000000000Z", "infinity"]);
    plain(Arc::new(Date32Array::from(vec![0, -719_529])), &["1970-01-01", "-000001-12-31"]);
    plain(Arc::new(Time64MicrosecondArray::from(vec![3_600_000_001])), &["01:00:00.000001000"]);
    let spans = vec![
        IntervalMonthDayNano::new(14, 3, 4_000_000_005),
        IntervalMonthDayNano::new(0, 0, 0),
        IntervalMonthDayNano::new(0, 0, -1),
    ];
    plain(
        Arc::new(IntervalMonthDayNanoArray::from(spans)),
        &["P14M3DT4.000000005S", "PT0S", "PT-0.000000001S"],
    );
}

#[test]
fn missing_values() {
    let [tsv, csv, json] = cells(Arc::new(StringArray::from(vec![None, Some("-"), Some("")])));
    assert_eq!(tsv, ["-", "\\x2d", ""]);
    assert_eq!(csv, ["", "'-", ""]);
    assert_eq!(json, ["null", r#""-""#, r#""""#]);
}

#[test]
fn text_stays_one_cell() {
    let text = "a\tb\nc\\d\"e,\u{1b}[0m\u{9b}\u{7f}é";
    let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let tsv = written(Format::Tsv, column.clone());
    assert_eq!(tsv, "a\\tb\\nc\\\\d\"e,\\x1b[0m\\x9b\\x7fé\n");
    let csv = written(Format::Csv, column.clone());
    assert_eq!(csv, format!("\"{}\"\n", text.replace('"', "\"\"")));
    let json = written(Format::JsonLines, column);
    assert_eq!(json, "{\"c\":\"a\\tb\\nc\\\\d\\\"e,\\u001b[0m\\u009b\\u007fé\"}\n");
}

#[test]
fn spreadsheets_meet_no_formula() {
    let texts = vec!["=1+1", "+1", "-1", "@x", "\tx", "\rx", "x=1"];
    let csv = written(Format::Csv, Arc::new(StringArray::from(texts)));
    assert_eq!(csv, "'=1+1\n'+1\n'-1\n'@x\n'\tx\n\"'\rx\"\nx=1\n");
}

#[test]
fn nested_values_are_json() {
    let lists = ListArray::from_iter_primitive::<Int8Type, _, _>(vec![
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
    ]);
    let [tsv, csv, json] = cells(Arc::new(lists));
    assert_eq!(tsv, ["[1,null]", "-", "[]"]);
    assert_eq!(csv, ["\"[1,null]\"", "", "[]"]);
    assert_eq!(json, ["[1,null]", "null", "[]"]);

    let mut map = MapBuilder::new(None, StringBuilder::new(), UInt64Builder::new());
    map.keys().append_value("a \"b\"");
    map.values().append_value(3);
    map.append(true).unwrap();
    let map: ArrayRef = Arc::new(map.finish());
    assert_eq!(written(Format::JsonLines, map.clone()), "{\"c\":{\"a \\\"b\\\"\":3}}\n");
    assert_eq!(written(Format::Tsv, map.clone()), "{\"a \\\\\"b\\\\\"\":3}\n");
    assert_eq!(written(Format::Csv, map), "\"{\"\"a \\\"\"b\\\"\"\"\":3}\"\n");

    let inner: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]]));
    let field = Arc::new(Field::new("x", DataType::Binary, true));
    let structs = StructArray::from(vec![(field, inner)]);
    assert_eq!(written(Format::JsonLines, Arc::new(structs)), "{\"c\":{\"x\":\"00ff\"}}\n");
}

#[test]
fn dictionaries_are_what_they_stand_for() {
    let words: DictionaryArray<Int8Type> =
        vec![Some("x"), None, Some("y"), Some("x")].into_iter().collect();
    let [tsv, _, json] = cells(Arc::new(words));
    assert_eq!(tsv, ["x", "-", "y", "x"]);
    assert_eq!(json, [r#""x""#, "null", r#""y""#, r#""x""#]);
    let none: DictionaryArray<Int8Type> = vec![None::<&str>].into_iter().collect();
    assert_eq!(written(Format::Tsv, Arc::new(none)), "-\n");
}

#[test]
fn slices_begin_where_they_begin() {
    let lists =
        ListArray::from_iter_primitive::<Int8Type, _, _>((0..4).map(|n| Some(vec![Some(n)])));
    let lists: ArrayRef = Arc::new(lists);
    assert_eq!(written(Format::Tsv, lists.slice(2, 2)), "[2]\n[3]\n");
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    assert_eq!(written(Format::Tsv, texts.slice(1, 1)), "b\n");
}

#[test]
fn the_header_comes_once_and_columns_may_not_change() {
    let rows = |name| {
        let column: ArrayRef = Arc::new(UInt64Array::from(vec![1]));
        RecordBatch::try_from_iter([(name, column)]).unwrap()
    };
    let mut out = Vec::new();
    let mut writer = TextWriter::new(Format::Csv, true);
    writer.write(&rows("=a,b"), &mut out).unwrap();
    writer.write(&rows("=a,b"), &mut out).unwrap();
    assert_eq!(out, b"\"'=a,b\"\n1\n1\n");
    assert!(matches!(writer.write(&rows("other"), &mut out), Err(Error::Usage(_))));
}

/// What a reader of our TSV does.
fn unescape(cell: &str) -> String {
    let mut out = String::new();
    let mut rest = cell.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        match rest.next().unwrap() {
            't' => out.push('\t'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            'x' => {
                let digits: String = rest.by_ref().take(2).collect();
                out.push(char::from(u8::from_str_radix(&digits, 16).unwrap()));
            }
            other => out.push(other),
        }
    }
    out
}

proptest! {
    #[test]
    fn any_text_comes_back_from_tsv(text in any::<String>()) {
        let line = written(Format::Tsv, Arc::new(StringArray::from(vec![text.as_str()])));
        let cell = line.strip_suffix('\n').unwrap();
        prop_assert!(!cell.contains(|c: char| c.is_control()));
        prop_assert_ne!(cell, "-");
        prop_assert_eq!(unescape(cell), text);
    }

    #[test]
    fn json_holds_no_control(text in any::<String>()) {
        let line = written(Format::JsonLines, Arc::new(StringArray::from(vec![text])));
        prop_assert!(!line.trim_end_matches('\n').contains(|c: char| c.is_control()));
    }
}

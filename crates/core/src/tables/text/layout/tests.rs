//! Tests of lines by a layout.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, ListArray, StringArray, TimestampNanosecondArray,
    UInt16Array,
};
use proptest::prelude::*;

use super::*;

type Named<'a> = (&'a str, ArrayRef);

fn column(path: &str, name: &str, style: Style) -> Key {
    Key { path: path.to_owned(), value: Value::Column(name.to_owned(), style) }
}

fn constant(path: &str, json: &str) -> Key {
    Key { path: path.to_owned(), value: Value::Constant(json.to_owned()) }
}

fn layout(others: Vec<Key>) -> Layout {
    Layout { by: "kind".to_owned(), kinds: Vec::new(), others }
}

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn written(layout: &Layout, columns: Vec<Named<'_>>) -> Result<String, Error> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut out = Vec::new();
    LineWriter::new(layout)?.write(&rows, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// What one value becomes in a style; empty where it is left out.
fn one(style: Style, values: ArrayRef) -> String {
    let kinds = text(&vec![None; values.len()]);
    let lines =
        written(&layout(vec![column("x", "x", style)]), vec![("kind", kinds), ("x", values)]);
    let lines = lines.unwrap();
    let value = |line: &str| line.trim_matches(['{', '}']).trim_start_matches("\"x\":").to_owned();
    lines.lines().map(value).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_kind_has_its_keys() {
    let layout = Layout {
        by: "kind".to_owned(),
        kinds: vec![
            (
                "a".to_owned(),
                Some(vec![constant("first", "1"), column("kind", "kind", Style::Plain)]),
            ),
            ("b".to_owned(), None),
            ("c".to_owned(), Some(Vec::new())),
        ],
        others: vec![constant("other", "[true]")],
    };
    let kinds = text(&[Some("a"), Some("b"), Some("c"), Some("d"), None]);
    assert_eq!(
        written(&layout, vec![("kind", kinds)]).unwrap(),
        "{\"first\":1,\"kind\":\"a\"}\n{}\n{\"other\":[true]}\n{\"other\":[true]}\n"
    );
}

#[test]
fn objects_hold_what_is_there() {
    let keys = vec![
        column("a.b.c", "x", Style::Plain),
        constant("k", "1"),
        constant("l", "2"),
        column("a.d", "y", Style::Plain),
        column("e.f", "y", Style::Plain),
    ];
    let columns = vec![
        ("kind", text(&[None; 3])),
        ("x", text(&[Some("1"), None, Some("")])),
        ("y", Arc::new(UInt16Array::from(vec![None, Some(2), None])) as ArrayRef),
    ];
    assert_eq!(
        written(&layout(keys), columns).unwrap(),
        "{\"a\":{\"b\":{\"c\":\"1\"}},\"k\":1,\"l\":2}\n\
         {\"a\":{\"d\":2},\"k\":1,\"l\":2,\"e\":{\"f\":2}}\n\
         {\"a\":{\"b\":{\"c\":\"\"}},\"k\":1,\"l\":2}\n"
    );
}

#[test]
fn styles() {
    let at = || Arc::new(TimestampNanosecondArray::from(vec![1_795_170_054_176_026_999, -1])) as _;
    assert_eq!(
        one(Style::Plain, at()),
        "\"2026-11-20T10:20:54.176026999Z\" \"1969-12-31T23:59:59.999999999Z\""
    );
    assert_eq!(
        one(Style::Micros, at()),
        "\"2026-11-20T10:20:54.176026Z\" \"1969-12-31T23:59:59.999999Z\""
    );
    assert_eq!(
        one(Style::SpacedMicros, at()),
        "\"2026-11-20 10:20:54.176026\" \"1969-12-31 23:59:59.999999\""
    );
    assert_eq!(one(Style::Known, text(&[Some("x"), Some("")])), "\"x\" ");
    assert_eq!(one(Style::Known, Arc::new(UInt16Array::from(vec![0, 10]))), " 10");
    assert_eq!(one(Style::Plain, Arc::new(BooleanArray::from(vec![true]))), "true");
    let seconds = vec![1.5, 2.5e-9, 1e300, f64::NAN];
    assert_eq!(
        one(Style::Nanoseconds, Arc::new(Float64Array::from(seconds))),
        format!("1500000000 2 {} ", i64::MAX)
    );
    let addresses =
        || text(&[Some("192.0.2.1"), Some("2001:db8::1"), Some("/run/x.sock"), Some("")]);
    assert_eq!(one(Style::Ip, addresses()), "\"192.0.2.1\" \"2001:db8::1\"  ");
    assert_eq!(one(Style::IpVersion, addresses()), "\"ipv4\" \"ipv6\" \"ipv4\" \"ipv4\"");
    let base64 = text(&[Some("R0VUIAA="), Some("/wwI"), Some(""), Some("not base 64")]);
    assert_eq!(one(Style::Characters, base64), "\"GET \\u0000\" \"\\u00ff\\f\\b\" \"\" ");
}

#[test]
fn a_style_that_does_not_fit_has_no_value() {
    let number = || Arc::new(UInt16Array::from(vec![1])) as ArrayRef;
    for style in [Style::Micros, Style::Characters, Style::Nanoseconds, Style::Ip, Style::IpVersion]
    {
        assert_eq!(one(style, number()), "", "{style:?}");
    }
    let nested = ListArray::from_iter_primitive::<arrow_array::types::Int8Type, _, _>([Some([])]);
    assert_eq!(one(Style::Plain, Arc::new(nested)), "");
}

#[test]
fn numbers_are_written_as_python_writes_them() {
    let values = [
        0.0,
        -0.0,
        1.0,
        0.1,
        1e-4,
        9.999e-5,
        2.5e-5,
        1e-7,
        1e15,
        9_007_199_254_740_993.0,
        1e16,
        1.234e22,
        -1e100,
        f64::INFINITY,
        f64::MIN_POSITIVE,
    ];
    assert_eq!(
        one(Style::Plain, Arc::new(Float64Array::from(values.to_vec()))),
        "0.0 -0.0 1.0 0.1 0.0001 9.999e-05 2.5e-05 1e-07 1000000000000000.0 9007199254740992.0 \
         1e+16 1.234e+22 -1e+100 null 2.2250738585072014e-308"
    );
}

#[test]
fn texts_put_together() {
    let piece = |before: &str, column: &str, missing: Option<&str>| Piece {
        before: before.to_owned(),
        column: column.to_owned(),
        missing: missing.map(str::to_owned),
    };
    let pieces = vec![
        piece("", "kind", Some("-")),
        piece(" at ", "x", Some("\"é\"")),
        piece(": ", "y", None),
    ];
    let keys = vec![
        Key { path: "said".to_owned(), value: Value::Joined(pieces) },
        Key {
            path: "went".to_owned(),
            value: Value::Either("y".to_owned(), ["\"badly\"".to_owned(), "\"well\"".to_owned()]),
        },
    ];
    let columns = vec![
        ("kind", text(&[Some("a"), Some("b\n"), None])),
        ("x", Arc::new(UInt16Array::from(vec![Some(7), None, None])) as ArrayRef),
        ("y", text(&[Some("why"), Some(""), None])),
    ];
    assert_eq!(
        written(&layout(keys), columns).unwrap(),
        "{\"said\":\"a at 7: why\",\"went\":\"badly\"}\n\
         {\"said\":\"b\\n at \\\"\\u00e9\\\"\",\"went\":\"well\"}\n\
         {\"said\":\"- at \\\"\\u00e9\\\"\",\"went\":\"well\"}\n"
    );
}

#[test]
fn mistakes_in_a_layout_are_said() {
    let wrong = |keys: Vec<Key>| LineWriter::new(&layout(keys)).unwrap_err().to_string();
    assert!(wrong(vec![constant("a", "1"), constant("a.b", "1")]).contains("\"a.b\""));
    assert!(wrong(vec![constant("a.b", "1"), constant("a", "1")]).contains("\"a\""));
    assert!(wrong(vec![constant("a", "1"), constant("a", "1")]).contains("\"a\""));
    assert!(wrong(vec![constant("a..b", "1")]).contains("\"a..b\""));
    assert!(wrong(vec![constant(&"a.".repeat(100), "1")]).contains("cannot stand"));
    assert!("x".parse::<Style>().unwrap_err().to_string().contains("\"x\""));
    let error =
        written(&layout(vec![column("x", "x", Style::Plain)]), vec![("kind", text(&[None]))]);
    assert!(error.unwrap_err().to_string().contains("no column \"x\""));
}

proptest! {
    #[test]
    fn a_line_is_one_line_of_ascii(value in any::<String>()) {
        let line = one(Style::Plain, text(&[Some(&value)]));
        prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }

    #[test]
    fn bytes_come_back_from_their_characters(bytes in any::<Vec<u8>>()) {
        let mut out = Vec::new();
        super::super::escape::characters(&bytes, &mut out);
        let mut text = Vec::new();
        let letters: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        super::super::escape::ascii(&letters, &mut text);
        prop_assert_eq!(out, text);
    }
}

//! The kinds of column a table can have: how a Rust value becomes an Arrow array.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, ListBuilder, MapBuilder, StringBuilder,
    TimestampNanosecondBuilder, UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow_schema::{DataType, Field, Fields, TimeUnit};

use super::said;
use crate::packet::Nanos;

/// A kind of column. `Value` is what a row holds, `Builder` what gathers it.
pub trait Column {
    /// Gathers the values of a batch.
    type Builder;
    /// One value, as a row carries it.
    type Value<'a>;
    /// Whether a value may be missing.
    const NULLABLE: bool = false;
    /// The Arrow type.
    fn data_type() -> DataType;
    /// A builder with room for `rows` values.
    fn builder(rows: usize) -> Self::Builder;
    /// Adds a value.
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>);
    /// Adds a missing value.
    fn append_null(builder: &mut Self::Builder);
    /// Bytes of text gathered so far.
    fn text(_builder: &Self::Builder) -> usize {
        0
    }
    /// Takes the gathered values, leaving the builder empty.
    fn finish(builder: &mut Self::Builder) -> ArrayRef;
}

/// A column whose value may be missing.
pub struct Opt<C>(std::marker::PhantomData<C>);

impl<C: Column> Column for Opt<C> {
    type Builder = C::Builder;
    type Value<'a> = Option<C::Value<'a>>;
    const NULLABLE: bool = true;
    fn data_type() -> DataType {
        C::data_type()
    }
    fn builder(rows: usize) -> Self::Builder {
        C::builder(rows)
    }
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>) {
        match value {
            Some(value) => C::append(builder, value),
            None => C::append_null(builder),
        }
    }
    fn append_null(builder: &mut Self::Builder) {
        C::append_null(builder);
    }
    fn text(builder: &Self::Builder) -> usize {
        C::text(builder)
    }
    fn finish(builder: &mut Self::Builder) -> ArrayRef {
        C::finish(builder)
    }
}

/// Columns that Arrow has a builder of exactly the right shape for.
macro_rules! plain_columns {
    ($($(#[$doc:meta])* $name:ident: $value:ty => $builder:ident($($size:expr),+), $kind:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Column for $name {
            type Builder = $builder;
            type Value<'a> = $value;
            fn builder(rows: usize) -> Self::Builder {
                $builder::with_capacity($(rows * $size),+)
            }
            fn data_type() -> DataType {
                $kind
            }
            fn append(builder: &mut Self::Builder, value: Self::Value<'_>) {
                builder.append_value(value);
            }
            fn append_null(builder: &mut Self::Builder) {
                builder.append_null();
            }
            fn finish(builder: &mut Self::Builder) -> ArrayRef {
                ArrayBuilder::finish(builder)
            }
        }
    )*};
}

/// Bytes a text usually has: an address, an identifier.
const USUAL_TEXT: usize = 16;

plain_columns! {
    /// UTF-8 text.
    Text: &'a str => StringBuilder(1, USUAL_TEXT), DataType::Utf8;
    /// A truth value.
    Bool: bool => BooleanBuilder(1), DataType::Boolean;
    /// A small count or code.
    U8: u8 => UInt8Builder(1), DataType::UInt8;
    /// A port or identifier.
    U16: u16 => UInt16Builder(1), DataType::UInt16;
    /// A count.
    U32: u32 => UInt32Builder(1), DataType::UInt32;
    /// A count that may grow for weeks.
    U64: u64 => UInt64Builder(1), DataType::UInt64;
    /// A span of time in seconds.
    Seconds: f64 => Float64Builder(1), DataType::Float64;
    /// A moment in UTC with nanoseconds. Without a zone in the type, since `DuckDB` cuts
    /// zoned timestamps to microseconds.
    Time: Nanos => TimestampNanosecondBuilder(1), DataType::Timestamp(TimeUnit::Nanosecond, None);
}

/// Bytes that a stranger sent, kept as [`said`] text.
pub struct Said;

impl Column for Said {
    type Builder = StringBuilder;
    type Value<'a> = &'a [u8];
    fn builder(rows: usize) -> Self::Builder {
        Text::builder(rows)
    }
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>) {
        builder.append_value(said(value));
    }
    fn append_null(builder: &mut Self::Builder) {
        builder.append_null();
    }
    fn text(builder: &Self::Builder) -> usize {
        builder.values_slice().len()
    }
    fn finish(builder: &mut Self::Builder) -> ArrayRef {
        ArrayBuilder::finish(builder)
    }
}

/// Columns that hold a list in each row.
macro_rules! list_columns {
    ($($(#[$doc:meta])* $name:ident: $value:ty => $builder:ident, $item:expr, $add:expr, $text:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Column for $name {
            type Builder = ListBuilder<$builder>;
            type Value<'a> = &'a [$value];
            fn builder(_rows: usize) -> Self::Builder {
                ListBuilder::new($builder::new())
            }
            fn data_type() -> DataType {
                DataType::List(Arc::new(Field::new_list_field($item, true)))
            }
            fn append(builder: &mut Self::Builder, value: Self::Value<'_>) {
                for item in value {
                    $add(builder.values(), item);
                }
                builder.append(true);
            }
            fn append_null(builder: &mut Self::Builder) {
                builder.append(false);
            }
            fn text(builder: &Self::Builder) -> usize {
                $text(builder.values_ref())
            }
            fn finish(builder: &mut Self::Builder) -> ArrayRef {
                ArrayBuilder::finish(builder)
            }
        }
    )*};
}

list_columns! {
    /// Texts in order.
    Texts: Cow<'static, str> => StringBuilder, DataType::Utf8, |to: &mut StringBuilder, text: &Cow<'static, str>| to.append_value(text), |items: &StringBuilder| items.values_slice().len();
    /// Counts in order.
    U32s: u32 => UInt32Builder, DataType::UInt32, |to: &mut UInt32Builder, count: &u32| to.append_value(*count), |items: &UInt32Builder| items.len() * 4;
}

/// Counts by name: an Arrow map from text to a count.
pub struct Counts;

impl Column for Counts {
    type Builder = MapBuilder<StringBuilder, UInt64Builder>;
    type Value<'a> = &'a [(&'a str, u64)];
    fn builder(_rows: usize) -> Self::Builder {
        MapBuilder::new(None, StringBuilder::new(), UInt64Builder::new())
    }
    fn data_type() -> DataType {
        let entries = Fields::from(vec![
            Field::new("keys", DataType::Utf8, false),
            Field::new("values", DataType::UInt64, true),
        ]);
        DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
    }
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>) {
        for (name, count) in value {
            builder.keys().append_value(name);
            builder.values().append_value(*count);
        }
        // Keys and values were appended in pairs, which is all `append` checks.
        let _ = builder.append(true);
    }
    fn append_null(builder: &mut Self::Builder) {
        let _ = builder.append(false);
    }
    fn finish(builder: &mut Self::Builder) -> ArrayRef {
        Arc::new(builder.finish())
    }
}

//! The kinds of column a table can have: how a Rust value becomes an Arrow array.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, MapBuilder, StringBuilder,
    TimestampNanosecondBuilder, UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow_schema::{DataType, Field, Fields, TimeUnit};

use crate::packet::Nanos;

/// A kind of column. `Value` is what a row holds, `Builder` what gathers it.
pub trait Column {
    /// Gathers the values of a batch.
    type Builder: Default;
    /// One value, as a row carries it.
    type Value<'a>;
    /// Whether a value may be missing.
    const NULLABLE: bool = false;
    /// The Arrow type.
    fn data_type() -> DataType;
    /// Adds a value.
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>);
    /// Adds a missing value.
    fn append_null(builder: &mut Self::Builder);
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
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>) {
        match value {
            Some(value) => C::append(builder, value),
            None => C::append_null(builder),
        }
    }
    fn append_null(builder: &mut Self::Builder) {
        C::append_null(builder);
    }
    fn finish(builder: &mut Self::Builder) -> ArrayRef {
        C::finish(builder)
    }
}

/// Columns that Arrow has a builder of exactly the right shape for.
macro_rules! plain_columns {
    ($($(#[$doc:meta])* $name:ident: $value:ty => $builder:ty, $kind:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Column for $name {
            type Builder = $builder;
            type Value<'a> = $value;
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

plain_columns! {
    /// UTF-8 text.
    Text: &'a str => StringBuilder, DataType::Utf8;
    /// A truth value.
    Bool: bool => BooleanBuilder, DataType::Boolean;
    /// A small count or code.
    U8: u8 => UInt8Builder, DataType::UInt8;
    /// A port or identifier.
    U16: u16 => UInt16Builder, DataType::UInt16;
    /// A count.
    U32: u32 => UInt32Builder, DataType::UInt32;
    /// A count that may grow for weeks.
    U64: u64 => UInt64Builder, DataType::UInt64;
    /// A span of time in seconds.
    Seconds: f64 => Float64Builder, DataType::Float64;
    /// A moment in UTC with nanoseconds. Without a zone in the type, since `DuckDB` cuts
    /// zoned timestamps to microseconds.
    Time: Nanos => TimestampNanosecondBuilder, DataType::Timestamp(TimeUnit::Nanosecond, None);
}

/// Counts by name: an Arrow map from text to a count.
pub struct Counts;

/// Wraps the map builder to give it a default.
pub struct CountsBuilder(MapBuilder<StringBuilder, UInt64Builder>);

impl Default for CountsBuilder {
    fn default() -> Self {
        Self(MapBuilder::new(
            None,
            StringBuilder::new(),
            UInt64Builder::new(),
        ))
    }
}

impl Column for Counts {
    type Builder = CountsBuilder;
    type Value<'a> = &'a [(&'a str, u64)];
    fn data_type() -> DataType {
        let entries = Fields::from(vec![
            Field::new("keys", DataType::Utf8, false),
            Field::new("values", DataType::UInt64, true),
        ]);
        DataType::Map(
            Arc::new(Field::new("entries", DataType::Struct(entries), false)),
            false,
        )
    }
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>) {
        for (name, count) in value {
            builder.0.keys().append_value(name);
            builder.0.values().append_value(*count);
        }
        // Keys and values were appended in pairs, which is all `append` checks.
        let _ = builder.0.append(true);
    }
    fn append_null(builder: &mut Self::Builder) {
        let _ = builder.0.append(false);
    }
    fn finish(builder: &mut Self::Builder) -> ArrayRef {
        Arc::new(builder.0.finish())
    }
}

//! One column seen as cells: its Arrow type is looked at once per batch, not once per value.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DecimalType, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType,
    IntervalYearMonthType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray,
    LargeStringArray, StringArray, StringViewArray,
};
use arrow_buffer::{BooleanBuffer, IntervalDayTime, IntervalMonthDayNano, NullBuffer, i256};
use arrow_schema::{ArrowError, DataType, IntervalUnit, TimeUnit};

use super::nested::Nested;
use super::{escape, time};

/// A column of a batch, ready to be written cell by cell.
pub(super) struct Cell<'a> {
    nulls: Option<&'a NullBuffer>,
    kind: Kind<'a>,
}

/// The values by what is done with them.
enum Kind<'a> {
    Null,
    Bool(&'a BooleanBuffer),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    F16(&'a [<Float16Type as ArrowPrimitiveType>::Native]),
    F32(&'a [f32]),
    F64(&'a [f64]),
    Decimal32(&'a [i32], i8),
    Decimal64(&'a [i64], i8),
    Decimal128(&'a [i128], i8),
    Decimal256(&'a [i256], u8, i8),
    Date32(&'a [i32]),
    Date64(&'a [i64]),
    Time32(&'a [i32], TimeUnit),
    Time64(&'a [i64], TimeUnit),
    Moment(&'a [i64], TimeUnit),
    Duration(&'a [i64], TimeUnit),
    Months(&'a [i32]),
    DayTime(&'a [IntervalDayTime]),
    MonthDayNano(&'a [IntervalMonthDayNano]),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
    Bytes(&'a BinaryArray),
    LargeBytes(&'a LargeBinaryArray),
    BytesView(&'a BinaryViewArray),
    FixedBytes(&'a FixedSizeBinaryArray),
    Nested(Nested<'a>),
}

fn values<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

impl<'a> Cell<'a> {
    /// Looks at the column's type; an error names one that has no text.
    pub(super) fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Bool(array.as_boolean().values()),
            DataType::Utf8 => Kind::Text(array.as_string()),
            DataType::LargeUtf8 => Kind::LargeText(array.as_string()),
            DataType::Utf8View => Kind::TextView(array.as_string_view()),
            DataType::Binary => Kind::Bytes(array.as_binary()),
            DataType::LargeBinary => Kind::LargeBytes(array.as_binary()),
            DataType::BinaryView => Kind::BytesView(array.as_binary_view()),
            DataType::FixedSizeBinary(_) => Kind::FixedBytes(array.as_fixed_size_binary()),
            kind if kind.is_numeric() => number(array, kind),
            kind if kind.is_temporal() => temporal(array, kind),
            _ => Kind::Nested(Nested::new(array)?),
        };
        Ok(Self { nulls: array.nulls(), kind })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
            || match &self.kind {
                Kind::Null => true,
                Kind::Nested(nested) => nested.is_null(row),
                _ => false,
            }
    }

    /// Whether the text of the cell is JSON.
    pub(super) fn is_nested(&self) -> bool {
        matches!(&self.kind, Kind::Nested(_))
    }

    /// The value, if it is text.
    pub(super) fn text(&self, row: usize) -> Option<&'a str> {
        match &self.kind {
            Kind::Text(array) => Some(array.value(row)),
            Kind::LargeText(array) => Some(array.value(row)),
            Kind::TextView(array) => Some(array.value(row)),
            Kind::Nested(nested) => nested.chosen(row).and_then(|(cell, row)| cell.text(row)),
            _ => None,
        }
    }

    /// The value, if it is a moment, with its unit.
    pub(super) fn moment(&self, row: usize) -> Option<(i64, TimeUnit)> {
        match &self.kind {
            Kind::Moment(values, unit) => Some((get(values, row), *unit)),
            _ => None,
        }
    }

    /// The value, if it is a number of double precision.
    pub(super) fn float(&self, row: usize) -> Option<f64> {
        match &self.kind {
            Kind::F64(values) => Some(get(values, row)),
            _ => None,
        }
    }

    /// Appends the value as JSON.
    pub(super) fn json(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return out.extend_from_slice(b"null");
        }
        if let Some(text) = self.text(row) {
            return escape::json(text, out);
        }
        match &self.kind {
            Kind::Nested(nested) => nested.json(row, out),
            _ if !self.is_finite(row) => out.extend_from_slice(b"null"),
            _ if self.is_bare() => self.plain(row, out),
            _ => {
                out.push(b'"');
                self.plain(row, out);
                out.push(b'"');
            }
        }
    }

    /// Whether JSON writes it without quotes.
    fn is_bare(&self) -> bool {
        use Kind::{
            Bool, Decimal32, Decimal64, Decimal128, Decimal256, F16, F32, F64, I8, I16, I32, I64,
            U8, U16, U32, U64,
        };
        #[rustfmt::skip]
        let bare = matches!(
            &self.kind,
            Bool(_) | I8(_) | I16(_) | I32(_) | I64(_) | U8(_) | U16(_) | U32(_) | U64(_)
                | F16(_) | F32(_) | F64(_) | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..)
        );
        bare
    }

    fn is_finite(&self, row: usize) -> bool {
        match &self.kind {
            Kind::F16(values) => get(values, row).is_finite(),
            Kind::F32(values) => get(values, row).is_finite(),
            Kind::F64(values) => get(values, row).is_finite(),
            _ => true,
        }
    }

    /// Appends a value that is neither missing, text nor nested; it needs no escaping.
    pub(super) fn plain(&self, row: usize, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Bool(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            }
            Kind::I8(values) => integer(get(values, row), out),
            Kind::I16(values) => integer(get(values, row), out),
            Kind::I32(values) => integer(get(values, row), out),
            Kind::I64(values) => integer(get(values, row), out),
            Kind::U8(values) => integer(get(values, row), out),
            Kind::U16(values) => integer(get(values, row), out),
            Kind::U32(values) => integer(get(values, row), out),
            Kind::U64(values) => integer(get(values, row), out),
            Kind::F16(values) => float(get(values, row).to_f32(), out),
            Kind::F32(values) => float(get(values, row), out),
            Kind::F64(values) => float(get(values, row), out),
            Kind::Decimal32(values, scale) => decimal(get(values, row).into(), *scale, out),
            Kind::Decimal64(values, scale) => decimal(get(values, row).into(), *scale, out),
            Kind::Decimal128(values, scale) => decimal(get(values, row), *scale, out),
            Kind::Decimal256(values, precision, scale) => {
                let text = Decimal256Type::format_decimal(get(values, row), *precision, *scale);
                out.extend_from_slice(text.as_bytes());
            }
            _ => self.plain_other(row, out),
        }
    }

    fn plain_other(&self, row: usize, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Date32(values) => time::date(get(values, row).into(), out),
            Kind::Date64(values) => time::date(get(values, row).div_euclid(86_400_000), out),
            Kind::Time32(values, unit) => time::of_day(get(values, row).into(), *unit, out),
            Kind::Time64(values, unit) => time::of_day(get(values, row), *unit, out),
            Kind::Moment(values, unit) => time::moment(get(values, row), *unit, out),
            Kind::Duration(values, unit) => {
                time::span(0, 0, time::nanos(get(values, row), *unit), out);
            }
            Kind::Months(values) => time::span(get(values, row).into(), 0, 0, out),
            Kind::DayTime(values) => {
                let span = get(values, row);
                let nanos = time::nanos(span.milliseconds.into(), TimeUnit::Millisecond);
                time::span(0, span.days.into(), nanos, out);
            }
            Kind::MonthDayNano(values) => {
                let span = get(values, row);
                time::span(span.months.into(), span.days.into(), span.nanoseconds, out);
            }
            Kind::Bytes(array) => hex(array.value(row), out),
            Kind::LargeBytes(array) => hex(array.value(row), out),
            Kind::BytesView(array) => hex(array.value(row), out),
            Kind::FixedBytes(array) => hex(array.value(row), out),
            _ => {}
        }
    }
}

fn number<'a>(array: &'a ArrayRef, kind: &DataType) -> Kind<'a> {
    match kind {
        DataType::Int8 => Kind::I8(values::<Int8Type>(array)),
        DataType::Int16 => Kind::I16(values::<Int16Type>(array)),
        DataType::Int32 => Kind::I32(values::<Int32Type>(array)),
        DataType::Int64 => Kind::I64(values::<Int64Type>(array)),
        DataType::UInt8 => Kind::U8(values::<UInt8Type>(array)),
        DataType::UInt16 => Kind::U16(values::<UInt16Type>(array)),
        DataType::UInt32 => Kind::U32(values::<UInt32Type>(array)),
        DataType::UInt64 => Kind::U64(values::<UInt64Type>(array)),
        DataType::Float16 => Kind::F16(values::<Float16Type>(array)),
        DataType::Float32 => Kind::F32(values::<Float32Type>(array)),
        DataType::Float64 => Kind::F64(values::<Float64Type>(array)),
        DataType::Decimal32(_, scale) => Kind::Decimal32(values::<Decimal32Type>(array), *scale),
        DataType::Decimal64(_, scale) => Kind::Decimal64(values::<Decimal64Type>(array), *scale),
        DataType::Decimal128(_, scale) => Kind::Decimal128(values::<Decimal128Type>(array), *scale),
        DataType::Decimal256(precision, scale) => {
            Kind::Decimal256(values::<Decimal256Type>(array), *precision, *scale)
        }
        _ => Kind::Null,
    }
}

fn temporal<'a>(array: &'a ArrayRef, kind: &DataType) -> Kind<'a> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    #[rustfmt::skip]
    let kind = match kind {
        DataType::Date32 => Kind::Date32(values::<Date32Type>(array)),
        DataType::Date64 => Kind::Date64(values::<Date64Type>(array)),
        DataType::Time32(Second) => Kind::Time32(values::<Time32SecondType>(array), Second),
        DataType::Time32(Millisecond) => Kind::Time32(values::<Time32MillisecondType>(array), Millisecond),
        DataType::Time64(Microsecond) => Kind::Time64(values::<Time64MicrosecondType>(array), Microsecond),
        DataType::Time64(Nanosecond) => Kind::Time64(values::<Time64NanosecondType>(array), Nanosecond),
        DataType::Timestamp(Second, _) => Kind::Moment(values::<TimestampSecondType>(array), Second),
        DataType::Timestamp(Millisecond, _) => Kind::Moment(values::<TimestampMillisecondType>(array), Millisecond),
        DataType::Timestamp(Microsecond, _) => Kind::Moment(values::<TimestampMicrosecondType>(array), Microsecond),
        DataType::Timestamp(Nanosecond, _) => Kind::Moment(values::<TimestampNanosecondType>(array), Nanosecond),
        DataType::Duration(Second) => Kind::Duration(values::<DurationSecondType>(array), Second),
        DataType::Duration(Millisecond) => Kind::Duration(values::<DurationMillisecondType>(array), Millisecond),
        DataType::Duration(Microsecond) => Kind::Duration(values::<DurationMicrosecondType>(array), Microsecond),
        DataType::Duration(Nanosecond) => Kind::Duration(values::<DurationNanosecondType>(array), Nanosecond),
        DataType::Interval(IntervalUnit::YearMonth) => Kind::Months(values::<IntervalYearMonthType>(array)),
        DataType::Interval(IntervalUnit::DayTime) => Kind::DayTime(values::<IntervalDayTimeType>(array)),
        DataType::Interval(IntervalUnit::MonthDayNano) => Kind::MonthDayNano(values::<IntervalMonthDayNanoType>(array)),
        _ => Kind::Null,
    };
    kind
}

fn get<T: Copy + Default>(values: &[T], row: usize) -> T {
    values.get(row).copied().unwrap_or_default()
}

fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn float(value: impl ryu::Float, out: &mut Vec<u8>) {
    out.extend_from_slice(ryu::Buffer::new().format(value).as_bytes());
}

/// Appends `value` / 10^`scale` exactly.
fn decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let scale = isize::from(scale);
    if scale <= 0 {
        out.extend_from_slice(digits);
        let zeros = if value == 0 { 0 } else { scale.unsigned_abs() };
        return out.extend(std::iter::repeat_n(b'0', zeros));
    }
    let scale = scale.unsigned_abs();
    let (whole, part) = digits.split_at(digits.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    out.push(b'.');
    out.extend(std::iter::repeat_n(b'0', scale - part.len()));
    out.extend_from_slice(part);
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        escape::hex(*byte, out);
    }
}

//! Cells that hold cells: lists, maps, structs, and values chosen from other columns.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait, UnionArray};
use arrow_schema::{ArrowError, DataType};

use super::cell::Cell;
use super::escape;

/// A column whose values lie in other columns.
pub(super) enum Nested<'a> {
    List(Ranges<'a>, Box<Cell<'a>>),
    Map(Ranges<'a>, Box<Cell<'a>>, Box<Cell<'a>>),
    Struct(Vec<(&'a str, Cell<'a>)>),
    Dictionary(Vec<usize>, Box<Cell<'a>>),
    Union(&'a UnionArray, Vec<(i8, Cell<'a>)>),
}

/// Where the elements of each row lie in the child column.
pub(super) enum Ranges<'a> {
    Offsets(&'a [i32]),
    LargeOffsets(&'a [i64]),
    View(&'a [i32], &'a [i32]),
    LargeView(&'a [i64], &'a [i64]),
    Fixed(usize),
}

impl Ranges<'_> {
    fn of(&self, row: usize) -> std::ops::Range<usize> {
        match self {
            Self::Offsets(offsets) => at(offsets, row)..at(offsets, row + 1),
            Self::LargeOffsets(offsets) => at(offsets, row)..at(offsets, row + 1),
            Self::View(starts, sizes) => sized(at(starts, row), at(sizes, row)),
            Self::LargeView(starts, sizes) => sized(at(starts, row), at(sizes, row)),
            Self::Fixed(size) => sized(row * size, *size),
        }
    }
}

fn at<O: OffsetSizeTrait>(values: &[O], row: usize) -> usize {
    values.get(row).map_or(0, |value| value.as_usize())
}

fn sized(start: usize, size: usize) -> std::ops::Range<usize> {
    start..start + size
}

impl<'a> Nested<'a> {
    pub(super) fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        Ok(match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Self::list(Ranges::Offsets(list.value_offsets()), list.values())?
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                Self::list(Ranges::LargeOffsets(list.value_offsets()), list.values())?
            }
            DataType::ListView(_) => {
                let list = array.as_list_view::<i32>();
                Self::list(Ranges::View(list.value_offsets(), list.value_sizes()), list.values())?
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view::<i64>();
                let ranges = Ranges::LargeView(list.value_offsets(), list.value_sizes());
                Self::list(ranges, list.values())?
            }
            DataType::FixedSizeList(..) => {
                let list = array.as_fixed_size_list();
                let size = usize::try_from(list.value_length()).unwrap_or_default();
                Self::list(Ranges::Fixed(size), list.values())?
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let (keys, values) = (Cell::new(map.keys())?, Cell::new(map.values())?);
                let ranges = Ranges::Offsets(map.value_offsets());
                Self::Map(ranges, Box::new(keys), Box::new(values))
            }
            _ => Self::composed(array)?,
        })
    }

    fn composed(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        match array.data_type() {
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns();
                let named = fields.iter().zip(columns);
                let cells =
                    named.map(|(field, array)| Ok((field.name().as_str(), Cell::new(array)?)));
                Ok(Self::Struct(cells.collect::<Result<_, ArrowError>>()?))
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let values = dictionary.values();
                // Without values every row is missing, and the keys mean nothing.
                let keys =
                    if values.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
                Ok(Self::Dictionary(keys, Box::new(Cell::new(values)?)))
            }
            DataType::Union(fields, _) => {
                let union = array.as_union();
                let cells = fields.iter().map(|(id, _)| Ok((id, Cell::new(union.child(id))?)));
                Ok(Self::Union(union, cells.collect::<Result<_, ArrowError>>()?))
            }
            other => Err(ArrowError::NotYetImplemented(format!("Arrow type {other}"))),
        }
    }

    fn list(ranges: Ranges<'a>, values: &'a ArrayRef) -> Result<Self, ArrowError> {
        Ok(Self::List(ranges, Box::new(Cell::new(values)?)))
    }

    /// The cell that a dictionary or union stands for.
    pub(super) fn chosen(&self, row: usize) -> Option<(&Cell<'a>, usize)> {
        match self {
            Self::Dictionary(keys, values) => Some((values, *keys.get(row)?)),
            Self::Union(union, cells) => {
                let wanted = union.type_id(row);
                let (_, cell) = cells.iter().find(|(id, _)| *id == wanted)?;
                Some((cell, union.value_offset(row)))
            }
            _ => None,
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Dictionary(..) | Self::Union(..) => {
                self.chosen(row).is_none_or(|(cell, row)| cell.is_null(row))
            }
            _ => false,
        }
    }

    /// Appends the value, which is not missing.
    pub(super) fn json(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::List(ranges, values) => {
                joined(*b"[]", ranges.of(row), out, |row, out| {
                    values.json(row, out);
                });
            }
            Self::Map(ranges, keys, values) => joined(*b"{}", ranges.of(row), out, |row, out| {
                key(keys, row, out);
                out.push(b':');
                values.json(row, out);
            }),
            Self::Struct(cells) => joined(*b"{}", cells, out, |(name, cell), out| {
                escape::json(name, out);
                out.push(b':');
                cell.json(row, out);
            }),
            Self::Dictionary(..) | Self::Union(..) => {
                if let Some((cell, row)) = self.chosen(row) {
                    cell.json(row, out);
                }
            }
        }
    }
}

/// Appends a map's key: JSON knows only text as key.
fn key(keys: &Cell<'_>, row: usize, out: &mut Vec<u8>) {
    if let Some(text) = keys.text(row) {
        return escape::json(text, out);
    }
    let mut text = Vec::new();
    if keys.is_nested() || keys.is_null(row) {
        keys.json(row, &mut text);
    } else {
        keys.plain(row, &mut text);
    }
    escape::json(&String::from_utf8_lossy(&text), out);
}

/// Appends the items between a pair of brackets, with commas.
fn joined<T>(
    brackets: [u8; 2],
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    item: impl Fn(T, &mut Vec<u8>),
) {
    let [open, close] = brackets;
    out.push(open);
    for (at, value) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item(value, out);
    }
    out.push(close);
}

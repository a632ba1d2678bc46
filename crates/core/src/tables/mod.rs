//! The tables: a schema is written once, here, with a line of documentation per column.

pub mod alert;
mod column;
pub mod conn;
pub mod dns;
#[cfg(feature = "store")]
mod durable;
#[cfg(feature = "store")]
mod frame;
pub mod health;
pub mod host;
pub mod http;
pub mod icmp;
pub mod packet;
#[cfg(feature = "store")]
pub mod parquet;
pub mod relay;
mod said;
#[cfg(feature = "store")]
pub mod segment;
pub mod ssh;
pub mod text;
pub mod tls;
mod types;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use column::{
    Bool, Column, Counts, Opt, Said, Seconds, Text, Texts, Time, U8, U16, U32, U32s, U64,
};
#[cfg(feature = "store")]
pub use durable::DurableFile;
pub use said::said;
pub use types::sql_name;

/// Rows of one table on their way out of the core.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The table's name.
    pub table: &'static str,
    /// Its rows.
    pub rows: RecordBatch,
}

/// A table's name, meaning and columns; columns carry their documentation as Arrow
/// metadata under [`DOC`].
#[derive(Clone, Debug)]
pub struct TableInfo {
    /// The name, as SQL sees it.
    pub name: &'static str,
    /// What one row is.
    pub doc: &'static str,
    /// The columns.
    pub schema: SchemaRef,
}

/// Bytes of text that make a batch of few rows worth handing on: strangers choose how long it is.
const BATCH_TEXT: usize = 4 << 20;

/// The key of a column's documentation in its Arrow metadata.
pub const DOC: &str = "doc";

/// What every generated table builder can do.
pub trait Table: Default {
    /// The table's name.
    const NAME: &'static str;
    /// What one row is.
    const DOC: &'static str;
    /// The columns.
    fn schema() -> SchemaRef;
    /// Whether rows are kept; if not, they are dropped as they come.
    fn switch(&mut self, on: bool);
    /// Rows gathered so far.
    fn len(&self) -> usize;
    /// Whether none were gathered.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Takes the rows gathered so far, leaving the table empty.
    fn finish(&mut self) -> Batch;
    /// Bytes of text in the rows gathered so far.
    fn text(&self) -> usize;
    /// Takes the rows to `ready`, if there are at least `rows` of them or their texts are long.
    fn hand_over(&mut self, rows: usize, ready: &mut Vec<Batch>) {
        if self.len() >= rows || !self.is_empty() && self.text() >= BATCH_TEXT {
            ready.push(self.finish());
        }
    }
    /// Name, meaning and columns.
    fn info() -> TableInfo {
        TableInfo { name: Self::NAME, doc: Self::DOC, schema: Self::schema() }
    }
}

/// Every table, in the order in which they are listed. A new table is one line here.
pub fn all() -> Vec<TableInfo> {
    vec![
        conn::ConnTable::info(),
        http::HttpTable::info(),
        tls::TlsTable::info(),
        dns::DnsTable::info(),
        icmp::IcmpTable::info(),
        ssh::SshTable::info(),
        packet::PacketTable::info(),
        host::HostTable::info(),
        relay::RelayTable::info(),
        alert::AlertTable::info(),
        health::HealthTable::info(),
    ]
}

/// Writes a table once: its row type, its builder and its documented Arrow schema. Columns under
/// `later` are no part of a row: the core leaves them missing, and who knows more fills them in.
///
/// A macro, because the three must never drift apart and nothing weaker keeps them together.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        $name:literal, $row:ident, $table:ident {
            $($(#[doc = $column_doc:literal])+ $column:ident: $kind:ty,)+
            $(later {
                $($(#[doc = $later_doc:literal])+ $later:ident: $later_kind:ty,)+
            })?
        }
    ) => {
        $(#[doc = $doc])+
        // The documentation of columns is text for users, not Markdown.
        #[allow(clippy::doc_markdown)]
        pub struct $row<'a> {
            $($(#[doc = $column_doc])+ pub $column: <$kind as $crate::tables::Column>::Value<'a>,)+
        }

        #[doc = concat!("Gathers rows of `", $name, "`.")]
        pub struct $table {
            rows: usize,
            off: bool,
            $($column: <$kind as $crate::tables::Column>::Builder,)+
        }

        impl Default for $table {
            fn default() -> Self {
                Self { rows: 0, off: false, $($column: <$kind as $crate::tables::Column>::builder(0),)+ }
            }
        }

        impl $table {
            /// Adds a row, unless the table is switched off.
            pub fn push(&mut self, row: &$row<'_>) {
                if self.off {
                    return;
                }
                $(<$kind as $crate::tables::Column>::append(&mut self.$column, row.$column);)+
                self.rows += 1;
            }
        }

        impl $crate::tables::Table for $table {
            const NAME: &'static str = $name;
            const DOC: &'static str = concat!($($doc),+);

            fn schema() -> arrow_schema::SchemaRef {
                static SCHEMA: std::sync::OnceLock<arrow_schema::SchemaRef> = std::sync::OnceLock::new();
                SCHEMA.get_or_init(|| {
                    std::sync::Arc::new(arrow_schema::Schema::new(vec![$(
                        $crate::tables::field::<$kind>(stringify!($column), concat!($($column_doc),+)),
                    )+ $($(
                        $crate::tables::field::<$later_kind>(stringify!($later), concat!($($later_doc),+)),
                    )+)?]))
                }).clone()
            }

            fn switch(&mut self, on: bool) {
                self.off = !on;
            }

            fn len(&self) -> usize {
                self.rows
            }

            fn text(&self) -> usize {
                0 $(+ <$kind as $crate::tables::Column>::text(&self.$column))+
            }

            fn finish(&mut self) -> $crate::tables::Batch {
                let columns = vec![
                    $(<$kind as $crate::tables::Column>::finish(&mut self.$column),)+
                    $($($crate::tables::missing::<$later_kind>(self.rows),)+)?
                ];
                // The next batch will be about as long: room for it at once.
                $(self.$column = <$kind as $crate::tables::Column>::builder(self.rows);)+
                self.rows = 0;
                $crate::tables::batch($name, Self::schema(), columns)
            }
        }
    };
}
pub(crate) use table;

/// One column of a schema with its documentation.
fn field<C: Column>(name: &str, doc: &str) -> arrow_schema::Field {
    let metadata = std::collections::HashMap::from([(DOC.to_owned(), doc.trim().to_owned())]);
    // Columns named like words of Rust.
    let name = name.trim_start_matches("r#");
    arrow_schema::Field::new(name, C::data_type(), C::NULLABLE).with_metadata(metadata)
}

/// A column of missing values.
fn missing<C: Column>(rows: usize) -> arrow_array::ArrayRef {
    arrow_array::new_null_array(&C::data_type(), rows)
}

/// Puts finished columns together. The columns come from the macro above, so they fit the
/// schema; should they ever not, an empty batch is the harmless answer.
fn batch(table: &'static str, schema: SchemaRef, columns: Vec<arrow_array::ArrayRef>) -> Batch {
    let rows = RecordBatch::try_new(schema.clone(), columns);
    debug_assert!(rows.is_ok(), "columns of {table} do not fit its schema");
    Batch { table, rows: rows.unwrap_or_else(|_| RecordBatch::new_empty(schema)) }
}

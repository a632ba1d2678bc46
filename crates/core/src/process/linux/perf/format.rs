//! What a tracepoint's record looks like: read from its `format` file, never assumed.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where a field lies in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

/// One tracepoint.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    pub(crate) name: String,
    pub(crate) id: u32,
    fields: HashMap<String, Field>,
}

impl Format {
    /// Reads the format of `group/name`.
    pub(crate) fn read(root: &Path, event: &str) -> io::Result<Self> {
        let path = root.join("events").join(event).join("format");
        let text = std::fs::read_to_string(&path)?;
        Self::parse(event, &text)
            .ok_or_else(|| io::Error::other(format!("{} is unlike any known", path.display())))
    }

    /// Takes the text of a format file apart.
    pub(crate) fn parse(name: &str, text: &str) -> Option<Self> {
        let id = text.lines().find_map(|line| line.strip_prefix("ID:"))?.trim().parse().ok()?;
        let fields = text.lines().filter_map(field).collect();
        Some(Self { name: name.to_owned(), id, fields })
    }

    /// A field, which has to have one of these sizes.
    pub(crate) fn field(&self, name: &str, sizes: &[usize]) -> io::Result<Field> {
        let found = self.fields.get(name).filter(|field| sizes.contains(&field.size));
        found
            .copied()
            .ok_or_else(|| io::Error::other(format!("{} has no usable {name}", self.name)))
    }
}

/// `field:TYPE NAME; offset:N; size:N; signed:N;`
fn field(line: &str) -> Option<(String, Field)> {
    let mut parts = line.trim().split(';').map(str::trim);
    let name = parts.next()?.strip_prefix("field:")?.rsplit([' ', '*']).next()?;
    let name = name.split('[').next()?.to_owned();
    let mut number = |key: &str| parts.next()?.strip_prefix(key)?.parse().ok();
    Some((name, Field { offset: number("offset:")?, size: number("size:")? }))
}

/// Where tracefs is mounted; mounting it is not ours.
pub(crate) fn tracefs() -> io::Result<PathBuf> {
    let places = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
    let found = places.iter().map(PathBuf::from).find(|place| place.join("events").is_dir());
    found.ok_or_else(|| {
        io::Error::other("tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing")
    })
}

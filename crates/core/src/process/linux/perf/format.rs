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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = "name: inet_sock_set_state\nID: 2287\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n\tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;\n\tfield:__data_loc char[] filename;\toffset:56;\tsize:4;\tsigned:0;\n";

    #[test]
    fn fields_are_found_by_name_and_size() {
        let format = Format::parse("sock/x", TEXT).unwrap();
        assert_eq!(format.id, 2287);
        assert_eq!(format.field("skaddr", &[8]).unwrap(), Field { offset: 8, size: 8 });
        assert_eq!(format.field("saddr_v6", &[16]).unwrap(), Field { offset: 40, size: 16 });
        assert_eq!(format.field("filename", &[4]).unwrap().offset, 56);
    }

    #[test]
    fn a_field_of_another_size_is_not_guessed() {
        let format = Format::parse("sock/x", TEXT).unwrap();
        assert!(format.field("skaddr", &[4]).is_err() && format.field("sport", &[2]).is_err());
        assert!(Format::parse("sock/x", "nonsense").is_none());
    }
}

//! The country of an address, by a database in the format of `MaxMind`.

use std::net::IpAddr;
use std::path::Path;

use maxminddb::{PathElement, Reader};

use crate::Error;

/// A database, held in memory: a mapped file that somebody overwrites would end the process.
pub(super) struct Countries(Reader<Vec<u8>>);

impl Countries {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Usage(format!("{}: {reason}", path.display()));
        let read = std::fs::read(path);
        let bytes = read.map_err(|source| Error::File { path: path.to_owned(), source })?;
        let reader = Reader::from_source(bytes);
        reader.map(Self).map_err(|error| wrong(format!("no database of countries: {error}")))
    }

    /// The country's code (ISO 3166 alpha-2), if it is known.
    pub(super) fn of(&self, ip: IpAddr) -> Option<String> {
        let found = self.0.lookup(ip).ok()?;
        let path = |key| [PathElement::Key(key), PathElement::Key("iso_code")];
        let country = found.decode_path::<String>(&path("country")).ok().flatten();
        country.or_else(|| found.decode_path(&path("registered_country")).ok().flatten())
    }
}

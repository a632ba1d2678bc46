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

    /// The country's code (ISO 3166 alpha-2), if it is known: nested as `MaxMind` and DB-IP write it, or a plain
    /// column as ip-location-db and `IPinfo` do.
    pub(super) fn of(&self, ip: IpAddr) -> Option<String> {
        let found = self.0.lookup(ip).ok()?;
        let text = |path: &[PathElement<'_>]| found.decode_path::<String>(path).ok().flatten();
        let nested = |key| text(&[PathElement::Key(key), PathElement::Key("iso_code")]);
        let plain = |key| text(&[PathElement::Key(key)]).filter(|code| code.len() == 2);
        nested("country")
            .or_else(|| plain("country_code"))
            .or_else(|| plain("country"))
            .or_else(|| nested("registered_country"))
    }
}

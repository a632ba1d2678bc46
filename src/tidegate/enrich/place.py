"""A stage that says where public addresses are: country, city and autonomous system, from MMDB files."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from tidegate.enrich.mmdb import NOTHING, Database, Facts, State, has_countries, shown, state_of
from tidegate.model.batch import Batch
from tidegate.model.config.enrich import PlaceSettings
from tidegate.model.errors import UsageError

MOST_ADDRESSES = 32_768
"""Addresses whose places are remembered: about 250 bytes each."""

_ENDS = {"conn": ("src", "dst"), "relay": ("client",)}
"""Tables that get places, and the ends of theirs that do."""

_log = logging.getLogger("tidegate")


def default_folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where databases are looked for, unless the user names some."""
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return [Path("/var/lib/tidegate/places"), Path(data).expanduser() / "tidegate" / "places"]


def default_databases(folders: Iterable[Path] | None = None) -> list[Path]:
    """The databases that lie where they are looked for, in the order of their names."""
    looked_in = default_folders() if folders is None else folders
    return [path for folder in looked_in if _readable(folder) for path in sorted(folder.glob("*.mmdb"))]


def _readable(folder: Path) -> bool:
    try:
        return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    except OSError:
        return False


def country_database(settings: PlaceSettings) -> Path | None:
    """The first database that rules can ask for countries, of those named or in the usual folders."""
    named = [Path(name).expanduser() for name in settings.databases]
    return next((path for path in named or default_databases() if has_countries(path)), None)


class Places:
    """Fills `src_` and `dst_` `country, city, asn, as_org` of connections, `client_` of the relay's events.

    Of several databases the first that knows a fact wins; what belongs together (city and country, number
    and organisation) never comes from two that disagree. Raises UsageError for a file that is named and
    cannot be used. Where none is named, those in the usual folders are taken, also when they come later;
    what is wrong with one of these is only said.
    """

    def __init__(self, settings: PlaceSettings, folders: Sequence[Path] | None = None) -> None:
        self._files = [_File(Path(name).expanduser(), lenient=False) for name in settings.databases]
        self._folders = [] if self._files else default_folders() if folders is None else folders
        self._find = lru_cache(MOST_ADDRESSES)(self._look_up)
        self._look_around()

    @property
    def databases(self) -> list[Database]:
        """Those in use."""
        return [file.database for file in self._files if file.database]

    def find(self, address: str) -> Facts:
        """What is known of an address; nothing of one that is not public."""
        return self._find(address)

    def process(self, batch: Batch) -> Iterable[Batch]:
        """Connections and events of the relay with places; other tables as they are."""
        ends = _ENDS.get(batch.table, ())
        if not ends or not self._files:
            return [batch]
        addresses = batch.columns([f"{end}_ip" for end in ends])
        found = {
            end: [NOTHING if ip is None else self._find(ip) for ip in column]
            for end, column in zip(ends, addresses, strict=True)
        }
        known = {end: column for end, column in found.items() if any(place != NOTHING for place in column)}
        return [batch.with_columns(_columns(known)) if known else batch]

    def tick(self, now: int) -> Iterable[Batch]:
        """Takes databases that were changed; of one that is broken or gone the old one stays, said once."""
        changed = [file.refresh() for file in self._files]
        if self._look_around() or any(changed):
            self._find.cache_clear()
        return []

    def close(self) -> None:
        """Gives the databases back."""
        self._find.cache_clear()
        for database in self.databases:
            database.close()

    def _look_around(self) -> bool:
        """Whether there are new files in the folders."""
        known = {file.path for file in self._files}
        new = [path for path in default_databases(self._folders) if path not in known]
        self._files += [_File(path, lenient=True) for path in new]
        return bool(new)

    def _look_up(self, text: str) -> Facts:
        address = ip_address(text)
        if not address.is_global or address.is_multicast:
            return NOTHING
        return _joined([database.find(address) for database in self.databases])


class _File:
    """A database that may be replaced at any time."""

    def __init__(self, path: Path, lenient: bool) -> None:
        self.path = path
        self._tried: State | None = None
        """The file that was last looked at, whether it could be used or not."""
        self._gone = False
        self.database: Database | None = None
        if lenient:
            self.refresh()
        else:
            self._tried = state_of(path)
            self.database = Database(path)

    def refresh(self) -> bool:
        """Whether another file was taken."""
        try:
            state = state_of(self.path)
            self._gone = False
            if state == self._tried:
                return False
            self._tried = state
            opened = Database(self.path)
        except UsageError as error:
            self._say(error)
            return False
        before, self.database = self.database, opened
        if before:
            before.close()
            _log.info("places: %s was replaced: %s", shown(self.path), opened.kind)
        return True

    def _say(self, error: UsageError) -> None:
        gone = not self.path.exists()
        if not (gone and self._gone):
            kept = "; what was read of it before is kept" if self.database else ""
            _log.warning("places: %s%s", error, kept)
        self._gone = gone


def _joined(several: Sequence[Facts]) -> Facts:
    country = next((facts.country for facts in several if facts.country), None)
    asn = next((facts.asn for facts in several if facts.asn), None)
    cities = (facts.city for facts in several if facts.city and facts.country in (country, None))
    organisations = (facts.as_org for facts in several if facts.as_org and facts.asn in (asn, None))
    return Facts(country, next(cities, None), asn, next(organisations, None))


def _columns(found: Mapping[str, Sequence[Facts]]) -> dict[str, list[str | bytes | int | None]]:
    return {
        f"{end}_{field}": [getattr(place, field) for place in column]
        for end, column in found.items()
        for field in Facts._fields
    }

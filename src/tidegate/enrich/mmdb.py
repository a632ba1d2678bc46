"""A database of places in MaxMind's format (MMDB): the one door to `maxminddb`."""

import os
import shutil
import tempfile
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tidegate.model.errors import UsageError
from tidegate.model.text import safe_text

if TYPE_CHECKING:
    from maxminddb.reader import Reader

SAMPLE = 1000
"""Records that are looked at to see what a database has."""

Address = IPv4Address | IPv6Address
State = tuple[int, int, int, int]
"""Device, inode, size and time of change of a file: when another one, it was changed or replaced."""


class Facts(NamedTuple):
    """What is known of an address. City and organisation are foreign text, as bytes."""

    country: str | None = None
    city: bytes | None = None
    asn: int | None = None
    as_org: bytes | None = None


NOTHING = Facts()


class Database:
    """One file. Raises UsageError where there is none, or none in this format.

    What is read is a copy, in a file without a name: a mapped file that somebody overwrites ends the process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = state_of(path)
        self._reader = _open(path)
        if state_of(path) != self.state:
            self._reader.close()
            raise UsageError(f"{shown(path)}: was written to while it was read; try again")
        meta = self._reader.metadata()
        self.kind = safe_text(str(meta.database_type))
        """What its maker calls it: GeoLite2-City, DBIP-ASN-Lite."""
        self.built = int(meta.build_epoch)
        """When it was made, in seconds since 1970."""
        self._versions = (4, 6) if meta.ip_version == 6 else (4,)

    def find(self, address: Address) -> Facts:
        """What it knows of an address."""
        from maxminddb import InvalidDatabaseError

        if address.version not in self._versions:
            return NOTHING
        try:
            return facts(self._reader.get(address))
        except (InvalidDatabaseError, ValueError):  # a broken record is none
            return NOTHING

    def close(self) -> None:
        """Gives its memory back."""
        self._reader.close()


def has_countries(path: Path) -> bool:
    """Whether its first records have countries; False of a file that is no database."""
    import maxminddb

    try:
        # Not mapped: it may be overwritten meanwhile.
        with maxminddb.open_database(path, maxminddb.MODE_FILE) as reader:
            records = [record for _, record in islice(reader, SAMPLE)]
    except (OSError, maxminddb.InvalidDatabaseError, ValueError):
        return False
    return any(facts(record).country for record in records)


def state_of(path: Path) -> State:
    """Which file lies there now; raises UsageError if none can be seen."""
    try:
        seen = path.stat()
    except OSError as error:
        raise UsageError(
            f"{shown(path)}: {_why(error)}; see docs/places.md for databases of places"
        ) from None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns


def shown(path: Path) -> str:
    """The path as messages have it."""
    return safe_text(str(path))


def facts(record: object) -> Facts:
    """A record of any of the usual layouts.

    MaxMind and DB-IP nest (`country.iso_code`, `city.names.en`, DB-IP's ISP database `traits.…`);
    ip-location-db and IPinfo write plain columns (`country_code`, `city`, `asn`, `as_name`).
    """
    if not isinstance(record, dict):
        return NOTHING
    country, city, traits = (record.get(name) for name in ("country", "city", "traits"))
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code", country)
    autonomous = traits if isinstance(traits, dict) and "autonomous_system_number" in traits else record
    return Facts(
        _country(code),
        _text(_english(city.get("names")) if isinstance(city, dict) else city),
        _number(autonomous.get("autonomous_system_number", record.get("asn"))),
        _text(autonomous.get("autonomous_system_organization", record.get("as_name"))),
    )


def _country(code: object) -> str | None:
    right = isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()
    return str(code).upper() if right else None


def _english(names: object) -> object:
    if not isinstance(names, dict):
        return None
    return names.get("en") or next(iter(names.values()), None)


def _text(value: object) -> bytes | None:
    return value.encode(errors="surrogateescape") if isinstance(value, str) and value else None


def _number(value: object) -> int | None:
    if isinstance(value, str) and value[2:].isdecimal() and value[:2].upper() == "AS":
        value = int(value[2:12])
    right = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**32
    return value if right and isinstance(value, int) else None


def _open(path: Path) -> "Reader":
    import maxminddb

    try:
        # Without POSIX a mapped file can neither be cut short nor deleted.
        return _open_copy(path) if os.name == "posix" else maxminddb.open_database(path)
    except OSError as error:
        raise UsageError(f"{shown(path)}: {_why(error)}") from None
    except (maxminddb.InvalidDatabaseError, ValueError):
        raise UsageError(f"{shown(path)}: is no MMDB file, or not all of one; get it anew") from None


def _open_copy(path: Path) -> "Reader":
    import maxminddb

    number, name = tempfile.mkstemp(prefix="tidegate-", suffix=".mmdb")
    try:
        with os.fdopen(number, "wb") as copy, path.open("rb") as original:
            shutil.copyfileobj(original, copy, 1 << 20)
        return maxminddb.open_database(name)
    finally:
        with suppress(OSError):
            Path(name).unlink()


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

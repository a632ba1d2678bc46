"""Databases of places: which are in use, and where to get one."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tidegate.doctor.finding import Finding, broken, limited, ok
from tidegate.enrich.mmdb import Database
from tidegate.enrich.place import default_databases, default_folders
from tidegate.model.config import Config
from tidegate.model.errors import UsageError

STALE = timedelta(days=120)
"""Age from which on a database is called old: networks move."""


def check_places(config: Config, now: datetime) -> Iterator[Finding]:
    """Whether places of addresses can be known."""
    named = [Path(name).expanduser() for name in config.places.databases]
    databases = named or default_databases()
    if not databases:
        folders = " or ".join(map(str, default_folders()))
        yield limited(
            "places",
            "no database: countries, cities and networks of addresses stay unknown",
            f"put one (free: DB-IP Lite from db-ip.com/db/lite.php, ip-location-db, GeoLite2) in {folders}",
        )
    for path in databases:
        yield _database(path, now)


def _database(path: Path, now: datetime) -> Finding:
    try:
        database = Database(path)
    except UsageError as error:
        return broken("places", str(error), _mend(path))
    database.close()
    built = datetime.fromtimestamp(database.built, UTC)
    text = f"{path}: {database.kind} of {built:%Y-%m-%d}"
    return (
        limited("places", text, "get a newer one: docs/places.md")
        if now - built > STALE
        else ok("places", text)
    )


def _mend(path: Path) -> str:
    if not os.path.lexists(path):
        return "put it there, or mend places.databases"
    if not os.access(path, os.R_OK):
        return f"chmod a+r {path}, and a+x the directories above it"
    return f"get it anew, or remove it: {path}"

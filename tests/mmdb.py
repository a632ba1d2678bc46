"""Databases of places: small ones of our own in any layout, and MaxMind's public test data."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

RELEASE = "maxminddb==3.2.0"
"""The source release of the reader carries MaxMind's test data."""


def write(path: Path, records: Mapping[str, Mapping[str, Any]], kind: str = "Test", version: int = 6) -> Path:
    """A database that knows these networks; it appears at once, as a careful updater has it."""
    writer = MMDBWriter(version, kind, ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), dict(record))
    part = path.with_suffix(".part")
    writer.to_db_file(str(part))
    part.replace(path)
    return path


def city(code: str, name: str) -> dict[str, Any]:
    """A record as MaxMind and DB-IP have it."""
    return {"country": {"iso_code": code}, "city": {"names": {"de": "anders", "en": name}}}


def network(number: int, organisation: str) -> dict[str, Any]:
    """A record of an autonomous system."""
    return {"autonomous_system_number": number, "autonomous_system_organization": organisation}


def maxmind(folder: Path) -> Path | None:
    """MaxMind's test data: in the folder MAXMIND_TEST_DATA names, else from the registry; None without."""
    if given := os.environ.get("MAXMIND_TEST_DATA"):
        return Path(given)
    words = "-m pip download -q --no-deps --no-binary :all: --disable-pip-version-check"
    subprocess.run(
        [sys.executable, *words.split(), "-d", str(folder), RELEASE],
        check=False,
        timeout=90,
        capture_output=True,
    )
    for archive in folder.glob("maxminddb-*.tar.gz"):
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        return next(folder.glob("maxminddb-*/tests/data/test-data"), None)
    return None

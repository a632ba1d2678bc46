"""Reports of stores, made late on 20 November 2026 in Berlin."""

import csv
import io
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tidegate.app.reporting import Wanted, make_report
from tidegate.model.config import Config
from tidegate.model.document import Document

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 23, tzinfo=BERLIN)


def of_store(root: Path, name: str, window: str, folders: tuple[Path, ...] = (), **more: object) -> Document:
    """The report `name` of a store."""
    config = more.pop("config", Config())
    assert isinstance(config, Config)
    wanted = Wanted(name, root, window, now=NOW, zone=BERLIN, own=())
    return make_report(replace(wanted, **more), config, folders)


def sheet(document: Document, name: str) -> list[dict[str, str]]:
    """The rows of one of its tables."""
    found = next(sheet for sheet in document.sheets if sheet.name == name)
    return list(csv.DictReader(io.StringIO(found.csv.decode())))

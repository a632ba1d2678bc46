"""Takes over settings of other programs: says whose files these are, and has them read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.model.errors import UsageError
from tidegate.settings.autonapt import import_autonapt, import_elastic, is_autonapt
from tidegate.settings.conmon import conmon_notes, import_conmon
from tidegate.settings.document import read_document
from tidegate.settings.monconn import import_monconn, is_monconn


@dataclass(frozen=True)
class Imported:
    """Our settings, whose they were, how they are used, and what could not be carried over."""

    settings: dict[str, Any]
    program: str
    verb: str
    notes: tuple[str, ...] = ()


def import_files(paths: Sequence[Path]) -> Imported:
    """The settings of conmon, monconn (a file) or AutoNapt (two or three); raises UsageError."""
    inis = [path for path in paths if path.suffix == ".ini"]
    documents = [read_document(path) for path in paths if path not in inis]
    if documents and all(is_autonapt(document.values) for document in documents):
        settings, notes = import_autonapt(documents)
        for path in inis:
            further, more = import_elastic(path)
            settings, notes = settings | further, notes + more
        return Imported(settings, "AutoNapt", "relay", tuple(notes))
    if inis and not documents:
        settings, notes = import_elastic(inis[0])
        return Imported(settings, "AutoNapt", "relay", tuple(notes))
    if len(documents) != 1 or inis:
        raise UsageError("one file of conmon or monconn, or those of AutoNapt, are expected")
    document = documents[0]
    if is_monconn(document.values):
        settings, notes = import_monconn(document)
        return Imported(settings, "monconn", "relay", tuple(notes))
    return Imported(import_conmon(document), "conmon", "run", tuple(conmon_notes(document)))

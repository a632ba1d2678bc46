"""Takes over the settings of conmon: its config.yml as ours.

conmon (github.com/haje01/conmon) logs TCP segments with payload that go to one host: `service` names the
host (`hostip`) and perhaps its port (`hport`) and the address and port they come from (`sip`, `sport`; in
its manual `lip`, `lport`), `logger` is Python's logging configuration.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from tidegate.model.errors import UsageError
from tidegate.model.text import clip
from tidegate.settings.document import Document

KNOWN = ("hostip", "hport", "sip", "sport", "lip", "lport", "ifip")
EXCERPT = 65536
"""conmon keeps every byte of a segment; no segment is longer."""


def import_conmon(document: Document) -> dict[str, Any]:
    """Our settings that do what conmon's did; raises UsageError for what is none of its files."""
    values = document.values
    if not {"logger", "service"} & values.keys():
        raise UsageError(
            f"{document.name}: no configuration of conmon: neither logger: nor service: is in it"
        )
    service = values.get("service") or {}
    if not isinstance(service, Mapping):
        raise UsageError(f"{document.place(('service',))}: service: keys such as hostip are expected")
    if unknown := [key for key in service if key not in KNOWN]:
        raise UsageError(f'{document.place(("service", unknown[0]))}: conmon has no "{unknown[0]}"')
    source = {
        "src": service.get("sip", service.get("lip")),
        "sport": service.get("sport", service.get("lport")),
    }
    ends = {"dst": service.get("hostip"), "dport": service.get("hport"), **source}
    _checked(ends, document)
    capture = " and ".join(["tcp", *_both_ways(ends)])
    wanted = " ".join(f"{field}:{value}" for field, value in ends.items() if value is not None)
    log = {
        "name": "conmon",
        "path": "conmon.tsv",
        "format": "conmon",
        "per": "segment",
        "tables": ["packet"],
        **({"filter": wanted} if wanted else {}),
    }
    settings: dict[str, Any] = {"watch": {"filter": capture}, "excerpts": {"bytes": EXCERPT}}
    if logger := values.get("logger"):
        ours = {"per": "segment", **({"filter": wanted} if wanted else {})}
        return settings | {"logger": {**logger, **ours} if isinstance(logger, Mapping) else logger}
    return settings | {"logs": [log]}


def conmon_notes(document: Document) -> list[str]:
    """What is not carried over, with its line, and what comes with it unasked."""
    notes = [
        f'{document.place((key,))}: conmon has no "{clip(key, 40)}"; left out'
        for key in document.values
        if key not in ("logger", "service")
    ]
    kept = "excerpts.bytes: payload is kept in the store, too, for excerpts.keep_time; see docs/privacy.md"
    return [*notes, f"{document.name}: {kept}"]


def _checked(ends: Mapping[str, Any], document: Document) -> None:
    for field, value in ends.items():
        if value is None:
            continue
        try:
            if field in ("dst", "src"):
                ipaddress.ip_address(str(value))
            elif not 0 < int(value) < 65536:
                raise ValueError
        except ValueError:
            kind = "address" if field in ("dst", "src") else "port"
            raise UsageError(f'{document.place(("service",))}: "{value}" is no {kind}') from None


def _both_ways(ends: Mapping[str, Any]) -> list[str]:
    """BPF words: connections need both directions, the log's own filter keeps one."""
    return [
        *(f"host {ends[field]}" for field in ("dst", "src") if ends[field] is not None),
        *(f"port {ends[field]}" for field in ("dport", "sport") if ends[field] is not None),
    ]

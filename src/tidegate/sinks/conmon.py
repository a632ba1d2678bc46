"""Format conmon: eleven columns, tab-separated, a line for each connection or for each data segment.

Time, source address and port, destination address and port, program, its path, its parent, its user, when it
was started, and a message. Of a connection the message says how it went; of a data segment it is the excerpt
of its payload, where one is kept. A missing value is `-`; control characters are written as escapes.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

from tidegate.model.batch import Batch
from tidegate.model.filter import EVERYTHING, Filter
from tidegate.model.text import safe_text
from tidegate.sinks.format import Headless, check_columns, row_lines
from tidegate.sinks.moments import micros, second

COLUMNS = (
    "time",
    "source_ip",
    "source_port",
    "destination_ip",
    "destination_port",
    "program",
    "path",
    "parent",
    "user",
    "started",
    "message",
)
"""The eleven, in order."""

ENDS = ("src_ip", "src_port", "dst_ip", "dst_port")
NAMES = ("process_name", "process_path", "process_parent", "process_user")
PROGRAM = (*NAMES, "process_started", "process_pid", "process_container")
_STORY = ("state", "conn_state", "duration", "up_bytes", "down_bytes", "service", "name")

_NOBODY = (None,) * len(PROGRAM)

REMEMBERED = 65_536
"""Connections whose program is remembered, for their data segments."""

HELD = 65_536
"""Data segments that wait for their connection's program, at most."""


class Conmon(Headless):
    """A line for each row of conn."""

    columns = ("ts", *ENDS, *NAMES, "process_started")

    def lines(self, batch: Batch) -> bytes:
        """The rows as lines."""
        return row_lines(["\t".join(cells) for cells in self.cells(batch)])

    def cells(self, batch: Batch) -> list[tuple[str, ...]]:
        """The eleven cells of each row."""
        ts, src, src_port, dst, dst_port, *names, started = batch.columns(self.columns)
        *story, service, name = batch.columns(_STORY)
        told = map(_story, *story, _texts(service), _texts(name))
        return _lines(ts, (src, src_port, dst, dst_port), (*names, started), told)


class ConmonSegments(Headless):
    """A line for each data segment, with the program of its connection.

    Takes rows of `packet`, and rows of `conn` for the programs. A segment waits (until `rest`, about 1 s)
    for its connection's row, which is made at the same time but may come after it.
    """

    columns = ("ts", *ENDS, "uid", "excerpt")

    def __init__(self, wanted: Filter = EVERYTHING) -> None:
        """`wanted` is held against the segment and its connection's program."""
        self._wanted = wanted
        self._programs: OrderedDict[str, tuple[Any, ...]] = OrderedDict()
        self._held: deque[Batch] = deque()
        self._rows = 0

    def lines(self, batch: Batch) -> bytes:
        """Nothing yet, unless too many segments wait."""
        return self.rest() if self.take(batch) else b""

    def take(self, batch: Batch) -> bool:
        """Takes segments or programs; true where so many segments wait that they should be written."""
        if batch.table == "conn":
            self._learn(batch)
        elif batch.table == "packet":
            self._held.append(batch)
            self._rows += batch.num_rows
        return self._rows > HELD

    def rest(self) -> bytes:
        """The lines of all segments that waited."""
        return row_lines(["\t".join(cells) for batch in self.waited() for cells in self.cells(batch)])

    def waited(self) -> list[Batch]:
        """The segments that waited: those with data that the filter wants."""
        found = [batch.keep(self._mask(batch)) for batch in self._held]
        self._held.clear()
        self._rows = 0
        return found

    def cells(self, batch: Batch) -> list[tuple[str, ...]]:
        """The eleven cells of each row of `packet`."""
        ts, src, src_port, dst, dst_port, uids, excerpts = batch.columns(self.columns)
        programs = [self._programs.get(uid, _NOBODY) for uid in uids]
        *names, started, _, _ = zip(*programs, strict=True) if programs else ((),) * len(PROGRAM)
        return _lines(ts, (src, src_port, dst, dst_port), (*names, started), _texts(excerpts))

    def _learn(self, batch: Batch) -> None:
        for uid, *program in zip(*batch.columns(("uid", *PROGRAM)), strict=True):
            self._programs[uid] = tuple(program)
            self._programs.move_to_end(uid)
        while len(self._programs) > REMEMBERED:
            self._programs.popitem(last=False)

    def _mask(self, batch: Batch) -> list[bool]:
        there = [name for name in check_columns("packet", ()) if name in self._wanted.columns]
        sizes, uids, *values = batch.columns(("payload_size", "uid", *there))
        if not self._wanted.words:
            return [size > 0 for size in sizes]
        programs = [self._programs.get(uid, _NOBODY) for uid in uids]
        names = (*there, *PROGRAM)
        rows = zip(sizes, zip(*values, strict=True) if values else repeat(()), programs, strict=False)
        return [
            size > 0 and self._wanted.holds(dict(zip(names, (*row, *program), strict=True)))
            for size, row, program in rows
        ]


SEGMENT_COLUMNS = frozenset(check_columns("packet", ())) | set(PROGRAM)
"""What a filter can look at in a data segment."""


def _lines(
    ts: Sequence[int], ends: Sequence[Sequence[Any]], program: Sequence[Sequence[Any]], told: Iterable[str]
) -> list[tuple[str, ...]]:
    """The eleven cells of each row, from columns: time, ends, program, what is told."""
    src, src_port, dst, dst_port = ends
    *names, started = program
    texts = map(_texts, names)
    ports = map(str, src_port), map(str, dst_port)
    columns = (map(micros, ts), src, ports[0], dst, ports[1], *texts, map(_moment, started), told)
    return list(zip(*columns, strict=True))


def _texts(values: Sequence[str | None]) -> list[str]:
    """Cells of texts; looked at one by one only where one of them needs it."""
    if all(value is None for value in values):
        return ["-"] * len(values)
    found = [value or "-" for value in values]
    joined = "".join(found)
    return found if joined.isascii() and joined.isprintable() else list(map(safe_text, found))


def _moment(ts: int | None) -> str:
    return "-" if ts is None else f"{second(ts)}Z"


def _story(
    state: str, how: str, took: float, up: int | None, down: int | None, service: str, name: str
) -> str:
    """How a connection went: `closed SF duration=4.250121 up=1234 down=45312 service=tls name=a.example`."""
    return f"{state} {how} duration={took:.6f} up={up or 0} down={down or 0} service={service} name={name}"

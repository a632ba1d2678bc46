"""What was never seen before: programs and places."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from tidegate.alerts.clock import SECOND
from tidegate.alerts.connections import COLUMNS, Connection
from tidegate.alerts.ledger import MOST_KNOWN, Known
from tidegate.alerts.metrics.metric import Event, Metric, joined, key_columns, key_text
from tidegate.model.filter import Row

_KERNEL_NAME = 15
"""Bytes of a process's name in the kernel, at most."""


class Novelty(Metric):
    """Knows what it has seen; the first time of anything else is an event, whose key it is."""

    table = "conn"
    threshold = 0.0
    known: Known
    """Set by who keeps it over a restart."""
    forgotten = 0
    """How many were forgotten because there were too many: they would be new again."""

    def names(self, row: Row) -> Iterable[str | None]:
        """What there is to know in a row, unless the rule's key says."""
        raise NotImplementedError

    def is_known_otherwise(self, _key: str) -> bool:
        """Whether it is known already, by another name."""
        return False

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """One for each name that is new; none while it learns."""
        columns = key_columns(self.settings.key)
        names = [joined([row[name] for name in columns])] if columns else self.names(row)
        return [event for name in names if name and (event := self._meet(name, row["last_ts"]))]

    def _meet(self, name: str, ts: int) -> Event | None:
        key = key_text(name)
        known = self.known
        if not known.learning_until:
            known.learning_until = ts + int(self.settings.learn * SECOND)
        new = known.seen.pop(key, None) is None and not self.is_known_otherwise(key)
        known.seen[key] = ts
        if len(known.seen) > MOST_KNOWN:
            del known.seen[next(iter(known.seen))]
            self.forgotten += 1
        return Event(ts, 1.0, None, key) if new and ts >= known.learning_until else None


class NewProgram(Novelty):
    """Programs by their path, or their name where that is all there is; at both ends."""

    columns: ClassVar[tuple[str, ...]] = (
        *COLUMNS,
        "process_path",
        "process_name",
        "peer_process_path",
        "peer_process_name",
    )

    def names(self, row: Row) -> Iterable[str | None]:
        """The programs of both ends."""
        yield row["process_path"] or row["process_name"]
        yield row["peer_process_path"] or row["peer_process_name"]

    def is_known_otherwise(self, key: str) -> bool:
        """Whether it is a mere name, as no path could be read, and a known path ends in it."""
        if "/" in key:
            return False
        ends = (path.rpartition("/")[2] for path in self.known.seen if "/" in path)
        # The kernel keeps so much of a name, and where there is no path there may be no more of it.
        return any(end == key or (len(key) == _KERNEL_NAME and end.startswith(key)) for end in ends)


class NewPlace(Novelty):
    """Countries of either end."""

    columns: ClassVar[tuple[str, ...]] = (*COLUMNS, "src_country", "dst_country")

    def names(self, row: Row) -> Iterable[str | None]:
        """The countries of both ends."""
        yield row["src_country"]
        yield row["dst_country"]

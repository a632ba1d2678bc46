"""HTTP: requests, replies, and both."""

from collections.abc import Sequence
from typing import ClassVar

from tidegate.alerts.clock import SECOND
from tidegate.alerts.connections import Connection
from tidegate.alerts.metrics.metric import Event, Metric
from tidegate.model.filter import Row


class HttpRequests(Metric):
    """Requests, when their first byte was seen."""

    table = "http"
    columns: ClassVar[tuple[str, ...]] = ("ts", "method")

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """One for a request."""
        return () if row["method"] is None else (Event(row["ts"]),)


class HttpReplies(Metric):
    """Replies, when their last byte was seen."""

    table = "http"
    columns: ClassVar[tuple[str, ...]] = ("ts", "status", "duration")

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """One for a reply."""
        return () if row["status"] is None else (Event(row["ts"] + _nanoseconds(row["duration"])),)


class HttpMessages(Metric):
    """Requests and replies."""

    table = "http"
    columns: ClassVar[tuple[str, ...]] = ("ts", "method", "status", "duration")

    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """One for each of the two."""
        request = () if row["method"] is None else (Event(row["ts"]),)
        if row["status"] is None:
            return request
        return (*request, Event(row["ts"] + _nanoseconds(row["duration"])))


def _nanoseconds(seconds: float | None) -> int:
    return int((seconds or 0.0) * SECOND)

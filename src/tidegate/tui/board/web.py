"""HTTP as it passes: by host and section, method and class of status."""

from collections import Counter
from typing import Any

from tidegate.tui.board.parties import Parties, Party
from tidegate.tui.board.series import MINUTE, Window

MOST_SITES = 5_000
MOST_METHODS = 12
RATE_SPAN = 10
OTHER = "other"
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
NO_REPLY = "none"


def status_class(status: int | None) -> str:
    """ "2xx" of 204; "none" without a reply."""
    return NO_REPLY if status is None else f"{min(max(status // 100, 1), 5)}xx"


class Site(Party):
    """A host's section."""

    __slots__ = ("bytes_seen", "host", "latency", "methods", "replies", "requests", "section", "statuses")

    def __init__(self, key: tuple[str, str]) -> None:
        super().__init__()
        self.host, self.section = key
        self.requests = 0
        self.methods: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.bytes_seen = 0
        self.latency = 0.0
        """Sum of the seconds that replies took."""
        self.replies = 0
        """Replies whose latency is known."""

    @property
    def bytes(self) -> int:
        """Bytes of bodies, both ways."""
        return self.bytes_seen

    def facts(self) -> dict[str, Any]:
        """What a filter can look at."""
        return {"host": self.host, "section": self.section}


class Web:
    """Counts of HTTP, and the sites behind them."""

    def __init__(self, messages_span: int = 120) -> None:
        self.sites: Parties[tuple[str, str], Site] = Parties(Site, MOST_SITES)
        self.minute: Window[tuple[str, str]] = Window(MINUTE)
        self.hosts: Window[str] = Window(MINUTE)
        self.sections: Window[tuple[str, str]] = Window(MINUTE)
        """By section and method."""
        self.host_statuses: Window[tuple[str, str]] = Window(MINUTE)
        self.classes: Window[str] = Window(RATE_SPAN, 10)
        self.messages: Window[str] = Window(messages_span, 60)
        """Requests and replies, as the default alert counts them."""
        self.requests = 0

    def take(self, row: dict[str, Any]) -> None:
        """Counts one transaction."""
        second = row["ts"] // 1_000_000_000
        status = status_class(row["status"])
        self._count_messages(row, second, status)
        key = (row["host"] or row["dst_ip"] or "", row["section"] or "/")
        site = self.sites.get(key)
        site.seen = second
        site.requests += 1
        site.statuses[status] += 1
        method = self._method(site, row["method"])
        site.methods[method] += 1
        site.bytes_seen += (row["request_body"] or 0) + (row["response_body"] or 0)
        if row["latency"] is not None:
            site.latency += row["latency"]
            site.replies += 1
        self.minute.add(key, second)
        self.hosts.add(key[0], second)
        self.host_statuses.add((key[0], status), second)
        self.sections.add((key[1], method), second)

    def roll(self, second: int) -> None:
        """Lets time pass."""
        for window in (self.minute, self.hosts, self.sections, self.host_statuses):
            window.roll(second)
        self.classes.roll(second)
        self.messages.roll(second)

    def rates(self) -> dict[str, float]:
        """Transactions a second by class of status, over the last ten seconds."""
        return {name: count / RATE_SPAN for name, count in self.classes.sums.items()}

    def _count_messages(self, row: dict[str, Any], second: int, status: str) -> None:
        self.requests += row["method"] is not None
        self.classes.add(status, second)
        if row["method"] is not None:
            self.messages.add("requests", second)
        if row["status"] is not None:
            self.messages.add("replies", second)

    def _method(self, site: Site, method: str | None) -> str:
        """The method's name; strangers make up more of them than anybody wants to see."""
        name = method or "-"
        return name if name in site.methods or len(site.methods) < MOST_METHODS else OTHER

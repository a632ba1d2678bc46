"""What was seen and what was lost, as the health table tells it."""

from collections import Counter
from typing import Any

from tidegate.tui.board.series import MINUTE, Window


class Losses:
    """Counts since the start, and over the last minute."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        """packets, kernel, queue, table, screen (rows this screen had no time for)."""
        self.minute: Window[str] = Window(MINUTE)
        self.malformed: Counter[str] = Counter()

    def take(self, row: dict[str, Any]) -> None:
        """Adds an interval of one source."""
        second = row["ts"] // 1_000_000_000
        self.count("packets", row["packets"], second)
        for name in ("kernel", "queue", "table"):
            self.count(name, row[f"dropped_{name}"], second)
        for kind, count in _items(row["malformed"]):
            if kind in self.malformed or len(self.malformed) < 64:
                self.malformed[kind] += count

    def count(self, what: str, count: int, second: int) -> None:
        """Adds to one of them."""
        if count:
            self.total[what] += count
            self.minute.add(what, second, count)

    @property
    def seen(self) -> float | None:
        """Share of the last minute's packets that the kernel did not drop."""
        seen, lost = self.minute.get("packets"), self.minute.get("kernel")
        return seen / (seen + lost) if seen + lost else None

    @property
    def dropped(self) -> int:
        """All that was lost on the way to the tables, since the start."""
        return sum(self.total[name] for name in ("kernel", "queue", "table", "screen"))


def _items(malformed: Any) -> list[tuple[str, int]]:
    """A map as the core gives it: pairs, or a dictionary."""
    if not malformed:
        return []
    pairs = malformed.items() if isinstance(malformed, dict) else malformed
    return [(str(kind), int(count)) for kind, count in pairs]

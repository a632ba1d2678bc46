"""What a metric is: it makes events of a table's rows, and says how events add up to a value."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from tidegate.alerts.connections import Connection
from tidegate.alerts.window import Item, Series, Sum
from tidegate.model.config import RuleSettings
from tidegate.model.filter import Row
from tidegate.model.text import clip, safe_text

LONGEST_KEY = 256
"""Characters of a key."""


class Event(NamedTuple):
    """Something that counts."""

    at: int
    """When, in nanoseconds, as the row says."""
    amount: float = 1.0
    item: Item | None = None
    """What it is one of, where different ones are counted."""
    key: str | None = None
    """Its key, where the metric itself says it."""


class Metric(ABC):
    """One rule's metric."""

    table: ClassVar[str]
    """Where its rows come from."""
    columns: ClassVar[tuple[str, ...]]
    """What it looks at."""
    key: ClassVar[str | None] = None
    """By what it counts apart unless the rule says."""
    threshold: ClassVar[float | None] = None
    """Its threshold unless the rule says; None if the rule has to."""

    def __init__(self, settings: RuleSettings, number: int, window: int) -> None:
        self.settings = settings
        self.number = number
        """The rule's place in the list: its bit at each connection."""
        self.window = window

    @abstractmethod
    def events(self, row: Row, connection: Connection) -> Sequence[Event]:
        """What counts of a row. `connection` is only for rows of `conn`."""

    def series(self) -> Series:
        """A new key's measure."""
        return Sum(self.window)


def key_columns(key: str | None) -> tuple[str, ...]:
    """The columns a key is made of."""
    return tuple(part.strip() for part in (key or "").split(",") if part.strip())


def joined(values: Sequence[Any]) -> str | None:
    """What a row has in the columns of a key, as one text; None if one is missing."""
    return None if None in values else " ".join(map(str, values))


def key_text(text: str) -> str:
    """A key as it is kept, compared and told: safe, and bounded."""
    return clip(safe_text(text), LONGEST_KEY)

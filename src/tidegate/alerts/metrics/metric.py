"""What a metric is: it makes events of a table's rows, and says how events add up to a value."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from tidegate.alerts.connections import Connection
from tidegate.alerts.window import Item, Series, Sum
from tidegate.model.config import RuleSettings
from tidegate.model.filter import Row


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

"""What people are told: an alert as safe text and as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_amount

LONGEST = 1000
"""Characters of a message at most."""


@dataclass(frozen=True)
class Notice:
    """One row of `alert`, every text of it safe for any terminal, and bounded."""

    data: Mapping[str, str | float | None]
    """The row; times as ISO 8601."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Notice":
        """A notice of a row; times are nanoseconds UTC."""
        return cls({name: _plain(name, value) for name, value in row.items()})

    @property
    def recovered(self) -> bool:
        """Whether it is over."""
        return self.data["state"] == "recovered"

    @property
    def title(self) -> str:
        """A short line: what, and of what."""
        key = f" {clip(str(self.data['key']), 60)}" if self.data["key"] else ""
        return f"{self.data['state']}: {self.data['rule']}{key}"

    @property
    def line(self) -> str:
        """One line that says it all."""
        return f"alert {self.data['state']} ({self.data['severity']}, {self.data['rule']}): {self.message}"

    @property
    def message(self) -> str:
        """What the rule says."""
        return str(self.data["message"])

    def _read(self, name: str) -> str:
        value = self.data[name]
        if name in _AMOUNTS and isinstance(value, int | float):
            return human_amount(str(self.data["metric"]), value)
        return str(value)

    def text(self) -> str:
        """All of it, a line a value."""
        lines = [f"{name + ':':<11}{self._read(name)}" for name in self.data if self.data[name] is not None]
        return "\n".join([self.message, "", *lines, ""])


_AMOUNTS = ("value", "threshold", "clear", "peak")


def _plain(name: str, value: Any) -> str | float | None:
    if value is None:
        return None
    if name in ("ts", "since"):
        seconds, rest = divmod(int(value), 1_000_000_000)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
    if isinstance(value, int | float):
        return value
    return clip(safe_text(str(value)), LONGEST)

"""The open alerts that a store remembers, as columns of table alert: what a screen begins with."""

from pathlib import Path
from typing import Any

from tidegate.alerts.state import NAME, read_state


def remembered(root: Path) -> dict[str, list[Any]]:
    """Column by column; empty if none is open. Raises StoreError or BrokenStateError."""
    rows = [alert.row("") for alert in read_state(root / NAME).open.values()]
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}

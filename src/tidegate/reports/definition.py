"""What a report is made of, as its file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PictureKind = Literal["none", "bars", "time", "month"]
PICTURES: tuple[PictureKind, ...] = ("none", "bars", "time", "month")


@dataclass(frozen=True)
class Section:
    """One question, and how its answer is shown."""

    title: str
    question: str = ""
    """The name of a question; `sql` instead of it is one's own."""
    sql: str = ""
    about: str = ""
    """A line below the title."""
    set: Mapping[str, str | int] = field(default_factory=dict)
    """Values of the question's parameters."""
    columns: tuple[str, ...] = ()
    """Those that are shown; all unless given. The sheet always has all."""
    rows: int = 10
    """Rows that are shown at most; the sheet has up to MOST_ROWS."""
    picture: PictureKind = "none"
    key: tuple[str, ...] = ()
    """The columns that say what a row is about: by them it is found in the period before, and drawn."""
    value: str = ""
    """The column that is compared and drawn."""
    label: tuple[str, ...] = ()
    """Of `bars`: the columns that a bar is called by; the key unless given."""
    also: tuple[str, ...] = ()
    """Of `time`: further columns that are drawn."""
    compare: bool = True
    without_own: bool = False
    """Whether the machine's own addresses are given to the question as `without`."""
    none: str = ""
    """What is said where there is nothing."""


MOST_ROWS = 10_000


@dataclass(frozen=True)
class Report:
    """A report: a title, a window, a filter, and its sections."""

    name: str
    title: str
    window: str
    sections: tuple[Section, ...]
    filter: str = ""
    figures: str = ""
    """SQL that gives one row: the figures at its head."""
    reset_day: int = 0
    """Of window `month`: the day counting begins anew; 0: as the configuration's quota says, else 1."""
    limit: int = 0
    """Bytes that a month may have; 0: as the configuration's quota says, else no limit."""

"""A report before it has a form: the same words for page and text."""

from dataclasses import dataclass

from tidegate.reports.parts import Figure, Part


@dataclass(frozen=True)
class Whole:
    """Everything that is said; texts are safe for a terminal."""

    title: str
    span: str
    """Its window in words."""
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]
    compared: str
    """What it is held against, in words; empty if against nothing."""
    parts: tuple[Part, ...]
    foot: str

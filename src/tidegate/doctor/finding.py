"""What one look at the machine found."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "limited", "broken"]


@dataclass(frozen=True)
class Finding:
    """How something stands: `fix` is a command, or what to do, where it does not stand well."""

    what: str
    verdict: Verdict
    text: str
    fix: str = ""


def ok(what: str, text: str) -> Finding:
    """It works."""
    return Finding(what, "ok", text)


def limited(what: str, text: str, fix: str) -> Finding:
    """It works, with less than there could be."""
    return Finding(what, "limited", text, fix)


def broken(what: str, text: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(what, "broken", text, fix)

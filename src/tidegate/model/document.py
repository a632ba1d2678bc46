"""A finished report: what is shown, sent and kept. Plain data; who makes it stands in `reports/`."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime

_CID = re.compile(r'"cid:([A-Za-z0-9._-]+)"')


@dataclass(frozen=True)
class Picture:
    """A picture of a report."""

    name: str
    """Letters, digits, dots and dashes, with its suffix: "traffic.png"."""
    png: bytes
    alt: str
    """What it shows, in words, for who does not see it."""


@dataclass(frozen=True)
class Sheet:
    """A table of a report, whole."""

    name: str
    """Letters, digits, dots and dashes, with its suffix: "hosts.csv"."""
    csv: bytes
    """UTF-8; no cell begins as a formula does."""


@dataclass(frozen=True)
class Document:
    """A report of what was seen from `begin` to before `end`; both know their zone."""

    name: str
    """Which report it is; letters, digits, dots and dashes."""
    title: str
    """One line; may hold anything a user wrote."""
    begin: datetime
    end: datetime
    text: str
    """All of it without pictures, made safe for a terminal."""
    html: str
    """All of it as one page that refers to its pictures as `cid:NAME`."""
    pictures: tuple[Picture, ...]
    sheets: tuple[Sheet, ...]
    nothing: str = ""
    """Why there was nothing to report, which the text says, too; empty where there was something."""
    faults: tuple[str, ...] = ()
    """What of it could not be made, and why; a line each, which the text has, too."""

    def standalone(self) -> str:
        """The page with its pictures inside, which needs nothing else."""
        found = {picture.name: picture.png for picture in self.pictures}

        def inside(match: re.Match[str]) -> str:
            if match[1] not in found:
                return match.group()
            return f'"data:image/png;base64,{base64.b64encode(found[match[1]]).decode("ascii")}"'

        return _CID.sub(inside, self.html)

"""Tables as CSV that no spreadsheet takes for formulas."""

import csv
import io
import re
from zoneinfo import ZoneInfo

from tidegate.model.document import Sheet
from tidegate.reports.asking import Table
from tidegate.reports.cells import exact, is_number

# The wide ones (U+FF1D, FF0B, FF0D, FF20) are the same to a spreadsheet in Japanese or Chinese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


# A spreadsheet of most of Europe begins a cell at a semicolon: what follows one is defused, too.
_WITHIN = re.compile(rf"([;\t\r\n][\s\"']*)(?=[{re.escape(''.join(_FORMULA))}])")


def sheet(title: str, table: Table, zone: ZoneInfo) -> Sheet:
    """All rows of a table that it has, in UTF-8 with a line of names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([defused(column.name) for column in table.columns])
    numbers = [is_number(column) for column in table.columns]
    for row in table.rows:
        cells = [exact(value, zone) for value in row]
        writer.writerow([cell if numbers[at] else defused(cell) for at, cell in enumerate(cells)])
    return Sheet(f"{slug(title)}.csv", out.getvalue().encode("utf-8", "backslashreplace"))


def defused(cell: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would calculate."""
    cell = cell[:1] + _WITHIN.sub(r"\1'", cell[1:])
    return f"'{cell}" if cell.lstrip(" \n").startswith(_FORMULA) or cell.startswith("\n") else cell


def slug(title: str) -> str:
    """A name for files: small letters, digits and dashes, never empty."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:50] or "section"

"""The filter language: `prog:firefox -net:10.0.0.0/8 port:>1024 state:S0`, over rows and as SQL.

Words side by side must all hold; a `-` before one turns it round. `field:value` looks at a column, by its
own name or a short one (`FIELDS`); a word alone is looked for in all that has a name. Values:

    firefox        text that contains it, whatever the case      "two words"  the same with spaces
    =firefox       exactly that                                   fire*        a pattern with * and ?
    /fire(fox)?/   a regular expression                           a,b          either
    443, 80-90, >1024, <=5M, >2s   numbers, with units            -            a missing value (port:-)
    10.0.0.0/8, 192.168.1.5        addresses (net, src, dst)
"""

import fnmatch
import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tidegate.model.batch import Batch
from tidegate.model.errors import UsageError
from tidegate.model.tables import all_tables, find_table
from tidegate.model.text import clip
from tidegate.model.units import parse_duration, parse_size

FIELDS: dict[str, tuple[str, ...]] = {
    "prog": ("process_name", "peer_process_name"),
    "pid": ("process_pid", "peer_process_pid"),
    "user": ("process_user", "peer_process_user"),
    "container": ("process_container", "peer_process_container"),
    "net": ("src_ip", "dst_ip", "ip", "client_ip", "server_ip"),
    "src": ("src_ip", "client_ip"),
    "dst": ("dst_ip", "server_ip"),
    "port": ("src_port", "dst_port", "client_port", "server_port"),
    "sport": ("src_port", "client_port"),
    "dport": ("dst_port", "server_port"),
    "host": ("name", "host", "sni", "query"),
    "state": ("conn_state", "state"),
    "country": ("src_country", "dst_country", "client_country"),
    "city": ("src_city", "dst_city", "client_city"),
    "asn": ("src_asn", "dst_asn", "client_asn"),
    "org": ("src_as_org", "dst_as_org", "client_as_org"),
    "bytes": ("up_bytes", "down_bytes"),
    "agent": ("user_agent",),
}
"""Short names, and the columns they stand for: one of them has to match."""

ANYWHERE = (
    "process_name",
    "peer_process_name",
    "name",
    "host",
    "sni",
    "query",
    "uri",
    "service",
    "src_ip",
    "dst_ip",
    "ip",
    "client_ip",
    "server_ip",
    "rule",
    "key",
    "message",
)
"""Columns in which a word alone is looked for."""

MOST_WORDS = 64
LONGEST = 4096
_WORD = re.compile(r'(-?)(?:(\w+):)?("(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/|\S+)')
_COMPARISON = re.compile(r"(>=|<=|>|<)(.+)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_ADDRESSES = frozenset({"src_ip", "dst_ip", "ip", "client_ip", "server_ip"})
_NUMBERS = frozenset({"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "DOUBLE"})
_SIGNS: dict[str, Callable[[Any, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}

Row = Mapping[str, Any]
Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Word:
    """One condition: which columns, what they are held against, and as SQL with `{}` for the column."""

    text: str
    columns: tuple[str, ...]
    negated: bool
    test: Test
    sql: str
    values: tuple[str | float, ...]

    def holds(self, row: Row) -> bool:
        """Whether the row meets it; a column the row does not have meets nothing."""
        return any(name in row and self.test(row[name]) for name in self.columns) is not self.negated


@dataclass(frozen=True)
class Filter:
    """Conditions that must all hold."""

    text: str
    words: tuple[Word, ...]

    @property
    def columns(self) -> frozenset[str]:
        """Every column that is looked at."""
        return frozenset(name for word in self.words for name in word.columns)

    def holds(self, row: Row) -> bool:
        """Whether the row is wanted. `row` holds at least those of `columns` that its table has."""
        return all(word.holds(row) for word in self.words)

    def mask(self, names: Iterable[str], columns: Iterable[list[Any]]) -> list[bool]:
        """For each row of these columns, whether it is wanted."""
        names = tuple(names)
        return [self.holds(dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)]

    def keep(self, batch: Batch) -> Batch:
        """The rows of a batch that are wanted."""
        if not self.words:
            return batch
        names = [column.name for column in find_table(batch.table).columns if column.name in self.columns]
        if not names:
            return batch if self.holds({}) else batch.keep([False] * batch.num_rows)
        mask = self.mask(names, batch.columns(names))
        return batch if all(mask) else batch.keep(mask)

    def sql(self, columns: Iterable[str]) -> tuple[str, dict[str, str | float]]:
        """The same as a SQL condition for a table with these columns, and the values it binds by name."""
        there = set(columns)
        parts: list[str] = []
        bound: dict[str, str | float] = {}
        for number, word in enumerate(self.words):
            values = {f"only_{number}_{place}": value for place, value in enumerate(word.values)}
            named = word.sql
            for name in values:
                named = named.replace("?", f"${name}", 1)
            tests = [named.replace("{}", name) for name in word.columns if name in there]
            bound |= values if tests else {}
            either = " OR ".join(f"coalesce({test}, false)" for test in tests) or "false"
            parts.append(f"{'NOT ' if word.negated else ''}({either})")
        return " AND ".join(parts) or "true", bound


EVERYTHING = Filter("", ())
"""Holds for every row."""


def parse_filter(text: str) -> Filter:
    """Reads a filter; raises UsageError that says which word is wrong."""
    if len(text) > LONGEST:
        raise UsageError(f"a filter has at most {LONGEST} characters")
    words = [_word(match) for match in _WORD.finditer(text)]
    if len(words) > MOST_WORDS:
        raise UsageError(f"a filter has at most {MOST_WORDS} words")
    return Filter(text, tuple(words))


def _word(match: re.Match[str]) -> Word:
    minus, field, value = match.groups()
    if not field and (name := value.removesuffix(":")) != value and (name in FIELDS or name in _kinds()):
        raise UsageError(f'filter: a value is missing after "{clip(value, 30)}"; a missing one is {name}:-')
    columns = _columns(field) if field else ANYWHERE
    test, sql, values = _condition(value, columns, f"{field}:" if field else "")
    return Word(match.group(), columns, bool(minus), test, sql, values)


def _columns(field: str) -> tuple[str, ...]:
    if field in FIELDS:
        return FIELDS[field]
    if field in _kinds():
        return (field,)
    import difflib

    near = difflib.get_close_matches(field, [*FIELDS, *sorted(_kinds())], 1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; there are {', '.join(FIELDS)} and every column"
    raise UsageError(f'filter: there is no field "{clip(field, 30)}"{hint}')


@cache
def _kinds() -> dict[str, str]:
    """Every column of every table with its type."""
    return {column.name: column.type for table in all_tables() for column in table.columns}


Condition = tuple[Test, str, tuple[str | float, ...]]


def _condition(value: str, columns: tuple[str, ...], field: str) -> Condition:
    if not value.strip('"'):
        raise UsageError(f'filter: a value is missing after "{field}"')
    if value == "-":
        return (lambda cell: cell is None), "{} IS NULL", ()
    if value[0] == "/" and value[-1] == "/" and len(value) > 1:
        return _expression(value[1:-1])
    if value[0] == '"':
        return _contains(re.sub(r"\\(.)", r"\1", value[1:-1]))
    if "," in value:
        return _either([_condition(part, columns, field) for part in value.split(",") if part])
    if _ADDRESSES.issuperset(columns) and (condition := _network(value)):
        return condition
    if all(_kinds()[name] in _NUMBERS for name in columns):
        return _number(value, field)
    if _COMPARISON.fullmatch(value):
        raise UsageError(
            f'filter: "{field}" is text and has no more or less; see {field}{value.lstrip("<>=")}'
        )
    return _text(value)


def _either(conditions: list[Condition]) -> Condition:
    if not conditions:
        raise UsageError("filter: a list of values is empty")
    tests = [test for test, _, _ in conditions]
    sql = "(" + " OR ".join(sql for _, sql, _ in conditions) + ")"
    values = tuple(value for _, _, values in conditions for value in values)
    return (lambda cell: any(test(cell) for test in tests)), sql, values


def _expression(pattern: str) -> Condition:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        found = re2.compile(pattern, options).search
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else ""
        raise UsageError(f"filter: /{clip(pattern, 40)}/ is no regular expression: {reason}") from None
    test: Test = lambda cell: cell is not None and bool(found(str(cell)))  # noqa: E731
    return test, "regexp_matches({}::VARCHAR, ?, 'i')", (pattern,)


def _contains(text: str) -> Condition:
    low = text.lower()
    test: Test = lambda cell: cell is not None and low in str(cell).lower()  # noqa: E731
    return test, "contains(lower({}::VARCHAR), ?)", (low,)


def _text(value: str) -> Condition:
    if value.startswith("=") and len(value) > 1:
        exact = value[1:].lower()
        return (
            (lambda cell: cell is not None and str(cell).lower() == exact),
            "lower({}::VARCHAR) = ?",
            (exact,),
        )
    if "*" in value or "?" in value:
        low = value.lower().replace("[", "[[]")
        match = re.compile(fnmatch.translate(low)).match
        test: Test = lambda cell: cell is not None and bool(match(str(cell).lower()))  # noqa: E731
        return test, "lower({}::VARCHAR) GLOB ?", (low,)
    return _contains(value)


def _network(value: str) -> Condition | None:
    """An address or a network; DuckDB's own type for them is an extension that may be missing."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    low, high = address_key(network.network_address), address_key(network.broadcast_address)

    def within(cell: Any) -> bool:
        try:
            return cell is not None and low <= address_key(ipaddress.ip_address(cell)) <= high
        except ValueError:
            return False

    return within, "address_key({}) BETWEEN ? AND ?", (low, high)


def address_key(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Text that sorts as addresses do: the version, then the address in hexadecimal (SQL: the same macro)."""
    return f"{address.version}{address.packed.hex()}"


def _number(value: str, field: str) -> Condition:
    if match := _COMPARISON.fullmatch(value):
        number = _measure(match[2])
        compare = _SIGNS[match[1]]
        return (lambda cell: cell is not None and compare(cell, number)), f"{{}} {match[1]} ?", (number,)
    if match := _RANGE.fullmatch(value):
        low, high = float(match[1]), float(match[2])
        return (lambda cell: cell is not None and low <= cell <= high), "{} BETWEEN ? AND ?", (low, high)
    equal = _measure(value.removeprefix("=")) if value[0] in "=0123456789." else None
    if equal is None:
        raise UsageError(
            f'filter: "{field}" is a number: write 443, 80-90, >1024 or <=5M, not "{clip(value, 20)}"'
        )
    return (lambda cell: cell is not None and cell == equal), "{} = ?", (equal,)


def _measure(text: str) -> float:
    """A number, perhaps with a unit of size or time."""
    for parse in (float, parse_size, parse_duration):
        try:
            return float(parse(text))
        except (ValueError, UsageError):
            continue
    raise UsageError(f'filter: "{clip(text, 20)}" is no number, size (5M) or duration (2s)')

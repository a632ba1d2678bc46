"""What is in a capture? The named questions that a summary puts together, over rows as they pass by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tidegate.model.batch import Batch
from tidegate.queries import (
    dns_failures,
    dns_queries,
    failed_connections,
    http_hosts,
    http_methods,
    http_sections,
    http_status,
    losses,
    names,
    pings,
    protocols,
    services,
    states,
    talkers,
    tls_names,
    tls_old,
)
from tidegate.queries.gathered import Gathered
from tidegate.queries.question import Question

TOP = 10
"""Lines of a ranking."""

SITES = 5
"""Sites, of which more is said."""

PARTS = 6
"""Methods, status codes and sections that are named of a site."""

MEMORY = "256MB"

RANKINGS: dict[Question, int] = {
    **dict.fromkeys((talkers, names, services, protocols), TOP),
    states: 20,
    failed_connections: 5,
    tls_names: TOP,
    tls_old: 5,
    dns_queries: TOP,
    dns_failures: 5,
    pings: 5,
}
"""What a summary ranks beside the sites, and how many rows of it."""

OF_A_SITE = (http_methods, http_status, http_sections)
"""What it says of each site."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A site that was asked over HTTP, and the most frequent of what was asked."""

    row: Row
    """Its row of http-hosts."""
    methods: list[Row]
    statuses: list[Row]
    sections: list[Row]


@dataclass(frozen=True)
class Figures:
    """What a summary says: the first rows of each question's answer, as that question gives them."""

    losses: Row
    """Connections in all, and what is missing in them."""
    sites: list[Site]
    rankings: dict[str, list[Row]]
    """Rows by the question's name, of the questions that had an answer."""


class Summary:
    """Gathers rows and asks the questions at the end; exact, and bounded in memory."""

    def __init__(self) -> None:
        self._gathered = Gathered([*RANKINGS, http_hosts, *OF_A_SITE, losses], MEMORY)

    @property
    def tables(self) -> list[str]:
        """The tables it takes rows of."""
        return self._gathered.tables

    def add(self, batch: Batch) -> None:
        """Takes rows; of `conn` each connection's last one only."""
        self._gathered.add(batch)

    def figures(self) -> Figures:
        """The answers so far."""
        answers = {asked.name: self._gathered.rows(asked, limit=rows) for asked, rows in RANKINGS.items()}
        return Figures(
            self._gathered.rows(losses)[0],
            list(self._sites()),
            {name: rows for name, rows in answers.items() if rows},
        )

    def close(self) -> None:
        """Frees memory and disk."""
        self._gathered.close()

    def _sites(self) -> Iterator[Site]:
        for row in self._gathered.rows(http_hosts, limit=SITES):
            # One more than is shown, so that it can be said that there are more.
            parts = [self._gathered.rows(asked, host=row["host"], limit=PARTS + 1) for asked in OF_A_SITE]
            yield Site(row, *parts)

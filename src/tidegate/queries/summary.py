"""What is in a capture? The figures of a summary, from its connections as they pass by."""

from dataclasses import dataclass
from typing import Any

import duckdb

from tidegate.model.batch import Arrow
from tidegate.model.errors import TidegateError
from tidegate.queries.engine import Database, one_line

TOP = 10
"""Lines of a ranking."""

_CREATE = """
    CREATE TABLE talk (
        src VARCHAR, dst VARCHAR, proto VARCHAR, port USMALLINT, service VARCHAR, conn_state VARCHAR,
        conns UBIGINT, packets UBIGINT, bytes UBIGINT, missed UBIGINT, retransmits UBIGINT)
"""

_ADD = """
    INSERT INTO talk
    SELECT src_ip, dst_ip, proto, CASE WHEN proto IN ('tcp', 'udp', 'sctp') THEN dst_port END,
        service, conn_state, count(*), sum(up_packets + down_packets), sum(up_bytes + down_bytes),
        sum(up_missed + down_missed), sum(up_retransmits + down_retransmits)
    FROM batch GROUP BY ALL
"""

_SUMS = "sum(conns)::UBIGINT, sum(packets)::UBIGINT, sum(bytes)::UBIGINT"

_TALKERS = f"""
    SELECT host, {_SUMS} FROM (
        SELECT src AS host, conns, packets, bytes FROM talk
        UNION ALL SELECT dst, conns, packets, bytes FROM talk WHERE dst <> src)
    GROUP BY host ORDER BY sum(bytes) DESC, host LIMIT {TOP}
"""

_SERVICES = f"""
    SELECT proto || coalesce('/' || port, '') || coalesce(' ' || service, '') AS name, {_SUMS}
    FROM talk GROUP BY name ORDER BY sum(bytes) DESC, name LIMIT {TOP}
"""

_PROTOCOLS = f"SELECT proto, {_SUMS} FROM talk GROUP BY proto ORDER BY sum(bytes) DESC, proto LIMIT {TOP}"

_STATES = f"SELECT conn_state, {_SUMS} FROM talk GROUP BY conn_state ORDER BY sum(conns) DESC, conn_state"

_TOTALS = """
    SELECT coalesce(sum(conns), 0)::UBIGINT, coalesce(sum(missed), 0)::UBIGINT,
        coalesce(sum(retransmits), 0)::UBIGINT
    FROM talk
"""


@dataclass(frozen=True)
class Ranked:
    """One line of a ranking."""

    name: str
    connections: int
    packets: int
    bytes: int


@dataclass(frozen=True)
class Figures:
    """What a summary says about connections; rankings hold the ten first by IP bytes."""

    connections: int
    missed: int
    """Bytes that were acknowledged but never seen."""
    retransmits: int
    talkers: list[Ranked]
    services: list[Ranked]
    protocols: list[Ranked]
    states: list[Ranked]
    """All states, the most frequent first."""


class Summary:
    """Adds up connections; exact, and bounded in memory, because DuckDB moves to disk what is too much."""

    def __init__(self) -> None:
        self._database = Database("128MB")
        self._database.duckdb.execute(_CREATE)

    def add(self, conns: Arrow) -> None:
        """Counts rows of the table `conn`, each connection's last one only."""
        self._database.duckdb.register("batch", conns)
        self._rows(_ADD)
        self._database.duckdb.unregister("batch")

    def figures(self) -> Figures:
        """The sums and rankings so far."""
        connections, missed, retransmits = self._rows(_TOTALS)[0]
        return Figures(
            connections,
            missed,
            retransmits,
            talkers=self._ranked(_TALKERS),
            services=self._ranked(_SERVICES),
            protocols=self._ranked(_PROTOCOLS),
            states=self._ranked(_STATES),
        )

    def close(self) -> None:
        """Frees memory and disk."""
        self._database.close()

    def _ranked(self, sql: str) -> list[Ranked]:
        return [Ranked(*row) for row in self._rows(sql)]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            return self._database.run(lambda: self._database.duckdb.execute(sql).fetchall())
        except duckdb.Error as error:
            raise TidegateError(f"summary: {one_line(error)}") from None

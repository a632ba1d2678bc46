"""The overnight report over ten million connections: seconds and memory. Makes its store first."""

import sys
from pathlib import Path

import duckdb
from measure import BUILT, Check, Report, run

from tidegate.store.layout import Layout
from tidegate.store.segments import no_rows

CONNECTIONS = 10_000_000
SEGMENT = 250_000
NIGHT = "2026-11-19 22:00"
HOURS = 8
SECONDS, MEMORY = 20.0, 1e9

_ROWS = """
    SELECT
        TIMESTAMP '{begin}' + to_microseconds((n * {seconds} * 1000000 // {count})::BIGINT) AS ts,
        ts + to_microseconds((duration * 1e6)::BIGINT) AS last_ts,
        'C' || substr(md5(n::VARCHAR || '{begin}'), 1, 16) AS uid,
        'bench' AS sensor, 'eth0' AS iface, if(n % 5 = 0, 'udp', 'tcp') AS proto,
        '192.168.1.' || (n % 40)::VARCHAR AS src_ip, 1024 + n % 60000 AS src_port,
        '198.51.' || (site % 200)::VARCHAR || '.' || (site % 250)::VARCHAR AS dst_ip,
        if(n % 5 = 0, 53, 443) AS dst_port,
        if(n % 5 = 0, 'dns', 'tls') AS service,
        if(n % 5 = 0, NULL, 'host' || site::VARCHAR || '.example') AS name,
        if(n % 200 = 7, 'active', 'closed') AS state,
        CASE WHEN n % 50 = 0 THEN 'S0' WHEN n % 70 = 0 THEN 'REJ' ELSE 'SF' END AS conn_state,
        duration,
        3 + n % 20 AS up_packets, 200 + n % 4000 AS up_bytes, 100 + n % 3900 AS up_payload,
        4 + n % 30 AS down_packets, 300 + (n % 900) * (n % 70) AS down_bytes, 200 + n % 50000 AS down_payload,
        if(n % 90 = 0, 1, 0) AS up_retransmits, 0 AS up_out_of_order, 0 AS up_zero_windows, 0 AS up_missed,
        0 AS down_retransmits, 0 AS down_out_of_order, 0 AS down_zero_windows,
        if(n % 9999 = 0, 1460, 0) AS down_missed,
        'program' || (n % 37)::VARCHAR AS process_name, 'event' AS process_confidence,
        ['DE', 'US', 'FR', 'NL', 'JP', 'BR'][1 + site % 6] AS dst_country,
        64500 + site % 90 AS dst_asn, 'Example Net ' || (site % 90)::VARCHAR AS dst_as_org
    FROM (
        SELECT range AS n, (20000 * random() ** 3)::BIGINT AS site,
            if(range % 300 = 0, 600.0 + range % 9000, (range % 1000) / 100.0) AS duration
        FROM range({low}, {high})
    )
"""
_HEALTH = """
    SELECT TIMESTAMP '{begin}' + to_seconds(10 * range) AS ts, 'bench' AS sensor, 'eth0' AS source,
        30000 AS packets, 20000000 AS bytes, 0 AS dropped_kernel, 0 AS dropped_queue, 0 AS dropped_table,
        0 AS duplicates
    FROM range({seconds} // 10)
"""


def make_store(root: Path, count: int) -> None:
    """A night of connections, as the store has them after its segments were closed; and a night before it."""
    layout = Layout(root)
    layout.create()
    with duckdb.connect() as database:
        for table in ("conn", "health"):
            database.register(f"no_{table}", no_rows(table))
        database.execute("SELECT setseed(0.5)")
        for day, (begin, rows) in enumerate((("2026-11-18 22:00", count // 5), (NIGHT, count))):
            seconds = HOURS * 3600
            for number, low in enumerate(range(0, rows, SEGMENT)):
                select = _ROWS.format(
                    begin=begin, seconds=seconds, count=rows, low=low, high=min(low + SEGMENT, rows)
                )
                _write(database, layout, "conn", select, f"202611{18 + day}T220000{number:06}-00000000")
            select = _HEALTH.format(begin=begin, seconds=seconds)
            _write(database, layout, "health", select, f"202611{18 + day}T220000000000-00000000")


def _write(
    database: duckdb.DuckDBPyConnection, layout: Layout, table: str, select: str, segment: str
) -> None:
    path = layout.closed_path(table, segment)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = f"SELECT * FROM no_{table} UNION ALL BY NAME ({select})"
    database.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def reporting(tidegate: str, count: int = CONNECTIONS) -> Report:
    """The report by its command, whole: process, pictures and files."""
    store = BUILT / f"reporting-{count}"
    if not (store / "VERSION").exists():
        make_store(store, count)
    words = [tidegate, "report", "overnight", "--from", "2026-11-19 22:00", "--to", "2026-11-20 06:00"]
    done = run([*words, "--zone", "UTC", "--store", str(store), "-o", str(BUILT / "report")])
    report = Report(
        [
            ("connections", "seconds", "CPU s", "MB"),
            (f"{count:,}", f"{done.wall:.1f}", f"{done.cpu:.1f}", f"{done.peak / 1e6:.0f}"),
        ]
    )
    report.checks = [
        Check("overnight report", done.wall, SECONDS, at_least=False, unit=" s"),
        Check("its memory", done.peak / 1e6, MEMORY / 1e6, at_least=False, unit=" MB"),
    ]
    return report


if __name__ == "__main__":
    BUILT.mkdir(parents=True, exist_ok=True)
    reporting(str(Path(sys.executable).with_name("tidegate"))).print("reporting")

"""Which hosts moved most bytes in a capture? With DuckDB, in SQL."""

import sys

import duckdb

import tidegate

conn = tidegate.read(sys.argv[1]).table("conn")
answer = duckdb.sql("""
    SELECT dst_ip, dst_port, count(*) AS connections, sum(up_bytes + down_bytes)::BIGINT AS bytes
    FROM conn GROUP BY ALL ORDER BY bytes DESC LIMIT 5
""")
for row in answer.fetchall():
    print(*row, sep="\t")

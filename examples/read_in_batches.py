"""Walks through a capture of any size with little memory."""

import sys

import tidegate

rows: dict[str, int] = {}
for batch in tidegate.read(sys.argv[1], "tcp or udp"):
    rows[batch.table] = rows.get(batch.table, 0) + batch.num_rows
print(rows)

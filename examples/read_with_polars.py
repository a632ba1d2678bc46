"""How long do connections last, per service port? With polars."""

import sys

import polars

import tidegate

conn = polars.DataFrame(tidegate.read(sys.argv[1]).table("conn"))
print(conn.group_by("proto", "dst_port").agg(polars.col("duration").median()).sort("proto", "dst_port"))

"""Watches an interface until something was seen, then stops. Needs the right to capture (root)."""

import sys

import polars

import tidegate

with tidegate.watch(sys.argv[1:], "icmp or tcp or udp") as watching:
    for batch in watching:
        if batch.table == "conn":
            print(polars.DataFrame(batch).select("proto", "src_ip", "dst_ip", "dst_port", "state"))
            watching.stop()

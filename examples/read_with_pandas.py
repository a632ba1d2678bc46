"""Bytes per connection state. With pandas."""

import sys

import pandas

import tidegate

conn = pandas.DataFrame.from_arrow(tidegate.read(sys.argv[1]).table("conn"))
print(conn.groupby("conn_state")[["up_bytes", "down_bytes"]].sum())

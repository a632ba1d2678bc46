"""Which sites were asked in a capture, and how well did they answer? With named questions."""

import sys

import polars

from tidegate import queries

capture = sys.argv[1]
hosts = queries.http_hosts(capture=capture, limit=5)
print(polars.DataFrame(hosts))
for host, *_ in hosts:
    for _, status, reason, requests, *_ in queries.http_status(capture=capture, host=host):
        print(host, status, reason, requests, sep="\t")

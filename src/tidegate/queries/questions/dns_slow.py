"""Which single lookups took longest?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="dns-slow",
    doc="lookups with the longest time from query to reply",
    tables=("dns",),
    sql="""
    SELECT ts, src_ip, dst_ip AS server, lower(query) AS name, qtype, rcode, rtt, uid
    FROM dns
    WHERE rtt IS NOT NULL
    ORDER BY rtt DESC, ts
    LIMIT $limit
    """,
)

"""Which transports carry how much?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="protocols",
    doc="transport protocols with connections, packets and bytes",
    tables=("conn",),
    sql="""
    SELECT
        proto,
        count(*) AS connections,
        total(up_packets + down_packets) AS packets,
        total(up_bytes + down_bytes) AS bytes
    FROM conn
    GROUP BY proto
    ORDER BY bytes DESC, proto
    LIMIT $limit
    """,
)

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
        total(coalesce(up_packets, 0) + coalesce(down_packets, 0)) AS packets,
        total(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes
    FROM conn
    GROUP BY proto
    ORDER BY bytes DESC, proto
    LIMIT $limit
    """,
)

"""How did connections begin and end?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="states",
    doc="states of connections in Zeek's terms, with how many and their bytes",
    tables=("conn",),
    sql="""
    SELECT
        conn_state,
        count(*) AS connections,
        total(coalesce(up_packets, 0) + coalesce(down_packets, 0)) AS packets,
        total(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes
    FROM conn
    GROUP BY conn_state
    ORDER BY connections DESC, conn_state
    LIMIT $limit
    """,
)

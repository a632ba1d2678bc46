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
        total(up_packets + down_packets) AS packets,
        total(up_bytes + down_bytes) AS bytes
    FROM conn
    GROUP BY conn_state
    ORDER BY connections DESC, conn_state
    LIMIT $limit
    """,
)

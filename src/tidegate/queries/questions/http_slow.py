"""Which single requests took longest to be answered?"""

from tidegate.queries.question import HOST, Question

QUESTION = Question(
    name="http-slow",
    doc="requests with the longest time to the first byte of their reply",
    tables=("http",),
    own=(HOST,),
    sql="""
    SELECT ts, src_ip, called(host, dst_ip) AS host, method, uri, status, latency, uid
    FROM http
    WHERE latency IS NOT NULL
        AND ($host::VARCHAR IS NULL OR called(host, dst_ip) = lower($host::VARCHAR))
    ORDER BY latency DESC, ts
    LIMIT $limit
    """,
)

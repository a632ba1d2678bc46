"""How did each site answer?"""

from tidegate.queries.question import HOST, Question

QUESTION = Question(
    name="http-status",
    doc="hosts with the status of their replies; without one, no reply was seen",
    tables=("http",),
    own=(HOST,),
    sql="""
    SELECT
        called(host, dst_ip) AS host,
        status,
        min(reason) AS reason,
        count(*) AS requests,
        round(median(latency), 9) AS median_latency,
        max(ts) AS last_seen
    FROM http
    WHERE method IS NOT NULL
        AND ($host::VARCHAR IS NULL OR called(host, dst_ip) = lower($host::VARCHAR))
    GROUP BY 1, status
    ORDER BY requests DESC, host, status
    LIMIT $limit
    """,
)

"""Which methods were used on which site?"""

from tidegate.queries.question import HOST, Question

QUESTION = Question(
    name="http-methods",
    doc="hosts with the method of their requests",
    tables=("http",),
    own=(HOST,),
    sql="""
    SELECT
        called(host, dst_ip) AS host,
        method,
        count(*) AS requests,
        count(*) FILTER (WHERE status >= 400) AS errors,
        round(median(latency), 9) AS median_latency
    FROM http
    WHERE method IS NOT NULL
        AND ($host::VARCHAR IS NULL OR called(host, dst_ip) = lower($host::VARCHAR))
    GROUP BY 1, method
    ORDER BY requests DESC, host, method
    LIMIT $limit
    """,
)

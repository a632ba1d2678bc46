"""Which parts of a site were asked for?"""

from tidegate.queries.question import HOST, Question

QUESTION = Question(
    name="http-sections",
    doc="hosts with the first element of the path: requests, errors, methods",
    tables=("http",),
    own=(HOST,),
    sql="""
    SELECT
        called(host, dst_ip) AS host,
        section,
        count(*) AS requests,
        count(*) FILTER (WHERE status >= 400) AS errors,
        several(method) AS methods,
        total(request_body::HUGEINT + coalesce(response_body, 0)) AS bytes,
        round(median(latency), 9) AS median_latency
    FROM http
    WHERE method IS NOT NULL
        AND ($host::VARCHAR IS NULL OR called(host, dst_ip) = lower($host::VARCHAR))
    GROUP BY 1, section
    ORDER BY requests DESC, host, section
    LIMIT $limit
    """,
)

"""How much was asked over HTTP when, and how well was it answered?"""

from tidegate.queries.question import HOST, STEP, Question

QUESTION = Question(
    name="requests",
    doc="HTTP requests and errors of each stretch of time, the earliest first",
    tables=("http",),
    own=(STEP, HOST),
    sql="""
    SELECT
        make_timestamp_ns(((floor((epoch(ts) - phase) / step) * step + phase) * 1000000000)::BIGINT) AS ts,
        count(*) AS requests,
        count(*) FILTER (WHERE status >= 400) AS errors,
        round(median(latency), 9) AS median_latency
    FROM (
        SELECT *, coalesce($step::BIGINT, 600) AS step,
            coalesce(epoch($since::TIMESTAMP_NS) % step, 0) AS phase
        FROM http
        WHERE method IS NOT NULL
            AND ($host::VARCHAR IS NULL OR called(host, dst_ip) = lower($host::VARCHAR))
    ) AS asked
    GROUP BY 1
    ORDER BY 1
    LIMIT $limit
    """,
)

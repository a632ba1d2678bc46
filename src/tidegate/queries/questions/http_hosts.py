"""Which sites were asked over HTTP, how much, and how well did they answer?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="http-hosts",
    doc="hosts by requests, with errors, bytes and times to the first byte",
    tables=("http",),
    sql="""
    -- Where no Host header was sent, the server's address stands for it. Times are seconds.
    SELECT
        called(host, dst_ip) AS host,
        count(*) AS requests,
        count(DISTINCT src_ip) AS clients,
        count(*) FILTER (WHERE status >= 400) AS errors,
        count(*) FILTER (WHERE incomplete = 'no reply') AS unanswered,
        total(request_body::HUGEINT + coalesce(response_body, 0)) AS bytes,
        round(median(latency), 9) AS median_latency,
        max(latency) AS max_latency
    FROM http
    WHERE method IS NOT NULL
    GROUP BY ALL
    ORDER BY requests DESC, host
    LIMIT $limit
    """,
)

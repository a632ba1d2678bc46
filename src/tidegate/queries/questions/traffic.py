"""How much was said when?"""

from tidegate.queries.question import STEP, Question

QUESTION = Question(
    name="traffic",
    doc="connections begun and bytes of each stretch of time, the earliest first",
    tables=("conn",),
    own=(STEP,),
    sql="""
    -- What a connection carried is spread evenly over its time; only that which lies in the window counts.
    WITH pieces AS (
        SELECT
            epoch(ts) AS first,
            greatest(epoch(last_ts), first) AS last,
            coalesce(epoch($since::TIMESTAMP_NS), -1e12) AS low,
            coalesce(epoch($until::TIMESTAMP_NS) - 1e-6, 1e12) AS high,
            coalesce($step::BIGINT, 600) AS step,
            coalesce(epoch($since::TIMESTAMP_NS) % step, 0) AS phase,
            coalesce(up_bytes, up_payload)::DOUBLE + coalesce(down_bytes, down_payload) AS bytes,
            floor((greatest(first, low) - phase) / step)::BIGINT AS one,
            floor((least(last, high) - phase) / step)::BIGINT AS other
        FROM conn
    ), bins AS (
        SELECT one AS bin, step, phase,
            count(*) FILTER (WHERE first >= low) AS connections,
            sum(CASE WHEN first >= low AND last <= high THEN bytes
                ELSE bytes * (least(last, high) - greatest(first, low)) / (last - first) END) AS bytes
        FROM pieces
        WHERE one = other
        GROUP BY ALL
        UNION ALL
        SELECT bin, step, phase,
            count(*) FILTER (WHERE first >= low AND bin = one),
            sum(bytes / (last - first)
                * (least(last, high, (bin + 1) * step + phase) - greatest(first, low, bin * step + phase)))
        FROM (SELECT *, unnest(generate_series(one, other)) AS bin FROM pieces WHERE one < other)
        GROUP BY ALL
    )
    SELECT
        make_timestamp_ns(((bin * step + phase) * 1000000000)::BIGINT) AS ts,
        total(connections) AS connections,
        round(sum(bytes))::BIGINT AS bytes
    FROM bins
    GROUP BY ALL
    ORDER BY ts
    LIMIT $limit
    """,
)

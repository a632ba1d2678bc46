"""Whom did nobody talk to before?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="new-hosts",
    doc="called ends by when they were first seen, the newest first",
    tables=("conn",),
    whole=True,
    sql="""
    -- Looks at all there is: who was seen before $since is not new, however much was said after it.
    SELECT
        called(name, dst_ip) AS name,
        min(ts) AS first_seen,
        max(last_ts) AS last_seen,
        count(*) AS connections,
        arg_min(src_ip, (ts, src_ip)) AS first_client,
        several(service) AS services,
        total(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes
    FROM conn
    GROUP BY 1
    HAVING ($since::TIMESTAMP_NS IS NULL OR min(ts) >= $since::TIMESTAMP_NS)
        AND ($until::TIMESTAMP_NS IS NULL OR min(ts) < $until::TIMESTAMP_NS)
    ORDER BY first_seen DESC, name
    LIMIT $limit
    """,
)

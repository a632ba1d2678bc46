"""Whom did nobody talk to in the window before?"""

from tidegate.queries.question import Parameter, Question

BEFORE = Parameter(
    "before", "moment", "where the time before `since` begins that is looked at; all unless set"
)

QUESTION = Question(
    name="new-since",
    doc="called ends that were not there between before and since, the busiest first",
    tables=("conn",),
    own=(BEFORE,),
    whole=True,
    sql="""
    -- Who is known goes first: most of what is said is said to them.
    WITH known AS (
        SELECT DISTINCT called(name, dst_ip) AS name
        FROM conn
        WHERE ts < $since::TIMESTAMP_NS
            AND ($before::TIMESTAMP_NS IS NULL OR last_ts >= $before::TIMESTAMP_NS)
    )
    SELECT
        called(conn.name, dst_ip) AS name,
        min(ts) AS first_seen,
        count(*) AS connections,
        arg_min(src_ip, (ts, src_ip)) AS first_client,
        several(process_name) AS programs,
        several(service) AS services,
        total(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes
    FROM conn ANTI JOIN known ON known.name = called(conn.name, dst_ip)
    WHERE ($since::TIMESTAMP_NS IS NULL OR last_ts >= $since::TIMESTAMP_NS)
        AND ($until::TIMESTAMP_NS IS NULL OR ts < $until::TIMESTAMP_NS)
    GROUP BY 1
    ORDER BY bytes DESC, name
    LIMIT $limit
    """,
)

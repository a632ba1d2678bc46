"""When did nobody look?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="gaps",
    doc="stretches of time without a row of health: nothing was captured, the earliest first",
    tables=("health",),
    sql="""
    -- A capture writes its rows every ten seconds, or as it is told: a gap is three times what is usual.
    WITH moments AS (
        SELECT DISTINCT ts FROM health
        UNION
        SELECT $since::TIMESTAMP_NS WHERE $since IS NOT NULL
        UNION
        SELECT $until::TIMESTAMP_NS WHERE $until IS NOT NULL
    ), steps AS (
        SELECT lag(ts) OVER (ORDER BY ts) AS begin, ts AS until, epoch(until) - epoch(begin) AS seconds
        FROM moments
    )
    SELECT begin, until, seconds
    FROM steps
    WHERE seconds > greatest(30, 3 * (SELECT coalesce(median(seconds), 0) FROM steps WHERE seconds <= 600))
    ORDER BY begin
    LIMIT $limit
    """,
)

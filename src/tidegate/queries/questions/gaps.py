"""When did nobody look?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="gaps",
    doc="stretches of time without a row of health: nothing was captured, the earliest first",
    tables=("health",),
    sql="""
    -- A capture writes a row every minute at least, packets or not; what is longer than 150 s is a gap.
    -- What the relay says of itself does not tell that anybody captured.
    WITH moments AS (
        SELECT DISTINCT ts FROM health WHERE source <> 'relay'
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
    WHERE seconds > 150
    ORDER BY begin
    LIMIT $limit
    """,
)

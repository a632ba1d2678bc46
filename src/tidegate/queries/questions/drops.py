"""What was seen by each source, and what was lost on the way?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="drops",
    doc="sources with packets seen, dropped by kernel, queue and table, malformed, and not IP",
    tables=("health",),
    sql="""
    -- An empty source is what belongs to the engine as a whole. With what holds no IP nothing is wrong.
    SELECT
        source,
        total(packets) AS packets,
        total(bytes) AS bytes,
        total(dropped_kernel) AS dropped_kernel,
        total(dropped_queue) AS dropped_queue,
        total(dropped_table) AS dropped_table,
        total(list_sum(map_values(malformed))) AS malformed,
        total(duplicates) AS duplicates,
        total(list_sum(map_values(not_ip))) AS not_ip
    FROM health
    GROUP BY source
    ORDER BY packets DESC, source
    LIMIT $limit
    """,
)

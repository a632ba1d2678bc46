"""What was seen by each source, and what was lost on the way?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="drops",
    doc="sources with packets seen, dropped by kernel, queue and table, malformed, and not IP",
    tables=("health",),
    sql="""
    -- What the engine lost has no source, and a row if it lost any. With what holds no IP nothing is wrong.
    SELECT
        coalesce(nullif(source, ''), 'engine') AS source,
        total(packets) AS packets,
        total(bytes) AS bytes,
        total(dropped_kernel) AS dropped_kernel,
        total(dropped_queue) AS dropped_queue,
        total(dropped_table) AS dropped_table,
        total(list_sum(map_values(malformed))) AS malformed,
        total(duplicates) AS duplicates,
        total(list_sum(map_values(not_ip))) AS not_ip
    FROM health
    GROUP BY 1
    HAVING any_value(health.source) <> '' OR dropped_kernel + dropped_queue + dropped_table + malformed > 0
    ORDER BY packets DESC, 1
    LIMIT $limit
    """,
)

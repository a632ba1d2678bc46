"""What was seen by each source, and what was lost on the way?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="drops",
    doc="sources with packets seen, dropped by kernel, queue and table, and malformed",
    tables=("health",),
    sql="""
    -- An empty source is what belongs to the engine as a whole. ARP holds no IP; nothing is wrong with it.
    SELECT
        source,
        total(packets) AS packets,
        total(bytes) AS bytes,
        total(dropped_kernel) AS dropped_kernel,
        total(dropped_queue) AS dropped_queue,
        total(dropped_table) AS dropped_table,
        total(list_sum([kind.value FOR kind IN map_entries(malformed) IF kind.key <> 'arp'])) AS malformed,
        total(duplicates) AS duplicates
    FROM health
    GROUP BY source
    ORDER BY packets DESC, source
    LIMIT $limit
    """,
)

"""Which of this machine's programs move most?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="programs",
    doc="this machine's programs with connections, called ends and bytes",
    tables=("conn",),
    sql="""
    -- NULL is what no program is known of: what other machines say to each other, among it.
    SELECT
        program,
        total(connections) AS connections,
        count(*) AS hosts,
        min(user) AS user,
        total(bytes) AS bytes
    FROM (
        SELECT process_name AS program, called(name, dst_ip) AS host, count(*) AS connections,
            min(process_user) AS user,
            sum(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes
        FROM conn
        GROUP BY ALL
    ) AS by_host
    GROUP BY program
    ORDER BY bytes DESC, program
    LIMIT $limit
    """,
)

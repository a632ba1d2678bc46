"""Which SSH programs are there, at either end?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="ssh-versions",
    doc="what SSH clients and servers call themselves",
    tables=("ssh",),
    sql="""
    WITH said AS (
        SELECT 'server' AS role, server AS version, dst_ip AS address, ts FROM ssh WHERE server IS NOT NULL
        UNION ALL
        SELECT 'client', client, src_ip, ts FROM ssh WHERE client IS NOT NULL
    )
    SELECT
        role,
        version,
        count(*) AS connections,
        count(DISTINCT address) AS addresses,
        arg_max(address, (ts, address)) AS last_address,
        max(ts) AS last_seen
    FROM said
    GROUP BY role, version
    ORDER BY connections DESC, role, version
    LIMIT $limit
    """,
)

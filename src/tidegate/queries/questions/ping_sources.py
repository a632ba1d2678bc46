"""Who pings?"""

from tidegate.queries.question import WITHOUT, Question

QUESTION = Question(
    name="ping-sources",
    doc="sources of pings: how many, to how many, answered, lost, round-trip time",
    tables=("icmp",),
    own=(WITHOUT,),
    sql="""
    SELECT
        src_ip,
        count(*) AS pings,
        count(DISTINCT dst_ip) AS targets,
        count(*) FILTER (WHERE answered) AS answered,
        count(*) FILTER (WHERE NOT answered) AS lost,
        round(median(rtt), 9) AS median_rtt,
        min(ts) AS first_seen,
        max(ts) AS last_seen
    FROM icmp
    WHERE kind = 'echo'
        AND NOT list_contains(string_split(coalesce($without::VARCHAR, ''), ','), src_ip)
    GROUP BY src_ip
    ORDER BY pings DESC, src_ip
    LIMIT $limit
    """,
)

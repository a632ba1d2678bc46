"""Who pings whom, and what comes back?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="pings",
    doc="pings by source and target: sent, answered, lost, round-trip time",
    tables=("icmp",),
    sql="""
    SELECT
        src_ip,
        dst_ip,
        count(*) AS sent,
        count(*) FILTER (WHERE answered) AS answered,
        count(*) FILTER (WHERE NOT answered) AS lost,
        min(rtt) AS min_rtt,
        round(median(rtt), 9) AS median_rtt,
        max(rtt) AS max_rtt
    FROM icmp
    WHERE kind = 'echo'
    GROUP BY ALL
    ORDER BY sent DESC, src_ip, dst_ip
    LIMIT $limit
    """,
)

"""Who answers lookups, and how well?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="dns-servers",
    doc="DNS servers with queries, failures and round-trip time",
    tables=("dns",),
    sql="""
    SELECT
        dst_ip AS server,
        count(*) AS queries,
        count(DISTINCT src_ip) AS clients,
        count(*) FILTER (WHERE rcode <> 'NOERROR') AS failures,
        count(*) FILTER (WHERE rcode IS NULL) AS unanswered,
        round(median(rtt), 9) AS median_rtt,
        max(rtt) AS max_rtt
    FROM dns
    WHERE transport IN ('udp', 'tcp')
    GROUP BY 1
    ORDER BY queries DESC, server
    LIMIT $limit
    """,
)

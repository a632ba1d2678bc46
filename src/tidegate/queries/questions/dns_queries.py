"""Which names were looked up?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="dns-queries",
    doc="names with queries, types, failures and round-trip time",
    tables=("dns",),
    sql="""
    -- mDNS and LLMNR ask whoever may know: silence is no failure there.
    SELECT
        lower(query) AS name,
        count(*) AS queries,
        count(DISTINCT src_ip) AS clients,
        several(qtype) AS types,
        count(*) FILTER (WHERE rcode <> 'NOERROR') AS failures,
        count(*) FILTER (WHERE rcode IS NULL AND transport IN ('udp', 'tcp')) AS unanswered,
        round(median(rtt), 9) AS median_rtt
    FROM dns
    WHERE query IS NOT NULL
    GROUP BY 1
    ORDER BY queries DESC, name
    LIMIT $limit
    """,
)

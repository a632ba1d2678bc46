"""Which names could not be looked up?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="dns-failures",
    doc="names with what went wrong: NXDOMAIN, SERVFAIL, unanswered",
    tables=("dns",),
    sql="""
    -- mDNS and LLMNR ask whoever may know: silence is no failure there.
    SELECT
        lower(query) AS name,
        coalesce(rcode, 'unanswered') AS failure,
        count(*) AS queries,
        count(DISTINCT src_ip) AS clients,
        several(dst_ip) AS servers,
        max(ts) AS last_seen
    FROM dns
    WHERE rcode <> 'NOERROR' OR rcode IS NULL AND transport IN ('udp', 'tcp')
    GROUP BY 1, 2
    ORDER BY queries DESC, name, failure
    LIMIT $limit
    """,
)

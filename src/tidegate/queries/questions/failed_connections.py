"""Which connections did not come about?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="failed-connections",
    doc="connections refused, reset or unanswered that are over, by both ends and port",
    tables=("conn",),
    sql=r"""
    -- Nobody has to answer what is sent to many: multicast and broadcast over UDP are no failures.
    -- Nor is what has only begun: its first row says S0, whatever comes after.
    SELECT
        src_ip,
        dst_ip,
        dst_port,
        proto,
        min(lower(name)) AS name,
        CASE conn_state
            WHEN 'S0' THEN 'no answer'
            WHEN 'SH' THEN 'given up without an answer'
            WHEN 'REJ' THEN 'refused'
            WHEN 'RSTOS0' THEN 'given up by a reset'
            WHEN 'RSTRH' THEN 'reset after an answer'
        END AS failure,
        count(*) AS connections,
        min(ts) AS first_seen,
        max(last_ts) AS last_seen
    FROM conn
    WHERE state <> 'active'
        AND conn_state IN ('S0', 'SH', 'REJ', 'RSTOS0', 'RSTRH')
        AND (proto = 'tcp' OR proto = 'sctp' OR proto = 'udp'
            AND NOT regexp_matches(dst_ip, '^(22[4-9]|23[0-9])\.|\.255$|^ff'))
    GROUP BY src_ip, dst_ip, dst_port, proto, failure
    ORDER BY connections DESC, src_ip, dst_ip, dst_port, proto, failure
    LIMIT $limit
    """,
)

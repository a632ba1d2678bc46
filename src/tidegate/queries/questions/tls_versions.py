"""Which versions of TLS are in use?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="tls-versions",
    doc="versions that servers chose, with handshakes, clients and servers",
    tables=("tls",),
    sql="""
    -- Without a version no reply was seen: what the client offered at most is beside it.
    SELECT
        version,
        CASE WHEN version IS NULL THEN client_version END AS offered,
        transport,
        count(*) AS handshakes,
        count(DISTINCT src_ip) AS clients,
        count(DISTINCT dst_ip) AS servers,
        count(*) FILTER (WHERE resumed) AS resumed
    FROM tls
    GROUP BY ALL
    ORDER BY handshakes DESC, version, offered, transport
    LIMIT $limit
    """,
)

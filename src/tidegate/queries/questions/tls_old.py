"""Which servers speak an old TLS, or show a certificate that is not to be trusted?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="tls-old",
    doc="servers with an old version, or an expired or self-signed certificate",
    tables=("tls",),
    sql="""
    -- Certificates are in clear up to TLS 1.2 only: of TLS 1.3 servers nothing is known here.
    WITH judged AS (
        SELECT *, concat_ws(', ',
            CASE WHEN version IN ('SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1') THEN 'old version' END,
            CASE WHEN not_after < ts THEN 'expired' END,
            CASE WHEN not_before > ts THEN 'not yet valid' END,
            CASE WHEN subject = issuer THEN 'self-signed' END) AS problem
        FROM tls
    )
    SELECT
        called(sni, dst_ip) AS name,
        dst_port,
        problem,
        version,
        subject,
        issuer,
        not_before,
        not_after,
        several(dst_ip) AS addresses,
        count(*) AS handshakes,
        max(ts) AS last_seen
    FROM judged
    WHERE problem <> ''
    GROUP BY ALL
    ORDER BY handshakes DESC, name, dst_port, problem, last_seen
    LIMIT $limit
    """,
)

"""Which kinds of TLS client are there, by fingerprint?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="ja4",
    doc="JA4 fingerprints with how many clients have them and whom they ask",
    tables=("tls",),
    sql="""
    SELECT
        ja4,
        count(*) AS handshakes,
        count(DISTINCT src_ip) AS clients,
        count(DISTINCT dst_ip) AS servers,
        several(lower(sni)) AS names,
        min(ts) AS first_seen,
        max(ts) AS last_seen
    FROM tls
    WHERE ja4 IS NOT NULL
    GROUP BY ja4
    ORDER BY handshakes DESC, ja4
    LIMIT $limit
    """,
)

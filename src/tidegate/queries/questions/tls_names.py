"""Which server names were asked for over TLS and QUIC?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="tls-names",
    doc="server names with handshakes, versions and client fingerprints",
    tables=("tls",),
    sql="""
    -- With Encrypted Client Hello (ech, GREASE included) the name may be a public one that hides the site's.
    SELECT
        lower(sni) AS name,
        count(*) AS handshakes,
        count(DISTINCT src_ip) AS clients,
        count(*) FILTER (WHERE transport = 'quic') AS quic,
        count(*) FILTER (WHERE ech) AS ech,
        count(*) FILTER (WHERE NOT established) AS unfinished,
        several(version) AS versions,
        several(ja4) AS ja4s
    FROM tls
    WHERE sni IS NOT NULL
    GROUP BY 1
    ORDER BY handshakes DESC, name
    LIMIT $limit
    """,
)

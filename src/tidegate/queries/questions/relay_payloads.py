"""What did the relay's clients say?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="relay-payloads",
    doc="different payloads of the relay's clients, the most frequent first",
    tables=("relay",),
    sql="""
    SELECT
        any_value(payload) AS payload,
        count(*) AS times,
        count(DISTINCT client_ip) AS clients,
        several(server_port::VARCHAR) AS some_ports,
        max(size)::BIGINT AS size,
        min(ts) AS first_seen,
        sha256
    FROM relay
    WHERE type = 'recv' AND payload IS NOT NULL
    GROUP BY sha256, payload
    ORDER BY times DESC, first_seen, sha256
    LIMIT $limit
    """,
)

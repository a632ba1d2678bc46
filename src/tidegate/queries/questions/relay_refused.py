"""Whom did the relay not let in, and why?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="relay-refused",
    doc="connections the relay refused, by service and why, with their clients",
    tables=("relay",),
    sql="""
    SELECT
        service,
        cause,
        count(*) AS refused,
        count(DISTINCT client_ip) AS clients,
        mode(client_ip) AS most_of,
        min(ts) AS first_seen,
        max(ts) AS last_seen
    FROM relay
    WHERE type = 'refused'
    GROUP BY service, cause
    ORDER BY refused DESC, service, cause
    LIMIT $limit
    """,
)

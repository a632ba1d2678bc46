"""What do the relay's clients speak, by their first bytes?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="relay-protocols",
    doc="protocols the relay recognised, with connections, clients and ports",
    tables=("relay",),
    sql="""
    -- NULL is what nobody recognised.
    SELECT
        protocol,
        count(*) AS connections,
        count(DISTINCT client_ip) AS clients,
        count(DISTINCT server_port) AS ports,
        several(server_port::VARCHAR) AS some_ports,
        several(rule) AS rules,
        round(median(detect_duration), 9) AS median_duration
    FROM relay
    WHERE type = 'detect'
    GROUP BY protocol
    ORDER BY connections DESC, protocol
    LIMIT $limit
    """,
)

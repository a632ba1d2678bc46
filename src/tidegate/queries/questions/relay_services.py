"""What did each service of the relay do?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="relay-services",
    doc="services of the relay: connections, refused, clients, bytes, time",
    tables=("relay",),
    sql="""
    SELECT
        service,
        count(*) FILTER (WHERE type = 'accept') AS connections,
        count(*) FILTER (WHERE type = 'refused') AS refused,
        count(DISTINCT client_ip) AS clients,
        count(*) FILTER (WHERE type = 'close' AND connect_duration IS NULL) AS without_backend,
        total(CASE type WHEN 'close' THEN up_bytes END) AS from_clients,
        total(CASE type WHEN 'close' THEN down_bytes END) AS to_clients,
        round(median(duration) FILTER (WHERE type = 'close'), 9) AS median_duration
    FROM relay
    WHERE type <> 'notice'
    GROUP BY service
    ORDER BY connections DESC, service
    LIMIT $limit
    """,
)

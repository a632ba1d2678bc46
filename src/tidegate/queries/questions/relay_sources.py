"""From which countries and networks do the relay's clients come?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="relay-sources",
    doc="countries and networks (AS) of the relay's clients: connections, refused, bytes",
    tables=("relay",),
    sql="""
    -- Where no database knows a place (a private address, or none is configured), both are NULL.
    SELECT
        client_country AS country,
        client_asn::BIGINT AS asn,
        min(client_as_org) AS as_org,
        count(*) FILTER (WHERE type = 'accept') AS connections,
        count(*) FILTER (WHERE type = 'refused') AS refused,
        count(DISTINCT client_ip) AS clients,
        mode(client_ip) AS most_of,
        total(CASE type WHEN 'close' THEN up_bytes + down_bytes END) AS bytes
    FROM relay
    WHERE client_ip IS NOT NULL AND type <> 'notice'
    GROUP BY client_country, client_asn
    ORDER BY connections DESC, refused DESC, country, asn
    LIMIT $limit
    """,
)

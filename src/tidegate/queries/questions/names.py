"""Who is talked to, by name?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="names",
    doc="called ends by name, else by address, with connections and bytes",
    tables=("conn",),
    sql="""
    -- sources: who said the name (sni, quic, ech, http, dns); none where there is only the address.
    -- Added up by whatever is counted apart first: there is far less of that than of connections.
    WITH ends AS (
        SELECT
            called(name, dst_ip) AS name, name_source, service, src_ip, count(*) AS connections,
            sum(coalesce(up_bytes, up_payload)) AS sent,
            sum(coalesce(down_bytes, down_payload)) AS received,
            sum(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes,
            max(last_ts) AS last_seen
        FROM conn
        GROUP BY 1, 2, 3, 4
    )
    SELECT
        name,
        several(name_source) AS sources,
        several(service) AS services,
        total(connections) AS connections,
        count(DISTINCT src_ip) AS clients,
        total(sent) AS sent,
        total(received) AS received,
        total(bytes) AS bytes,
        max(last_seen) AS last_seen
    FROM ends
    GROUP BY name
    ORDER BY bytes DESC, name
    LIMIT $limit
    """,
)

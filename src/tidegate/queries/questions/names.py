"""Who is talked to, by name?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="names",
    doc="called ends by name, else by address, with connections and bytes",
    tables=("conn",),
    sql="""
    -- sources: who said the name (sni, quic, ech, http, dns); none where there is only the address.
    SELECT
        called(name, dst_ip) AS name,
        several(name_source) AS sources,
        several(service) AS services,
        count(*) AS connections,
        count(DISTINCT src_ip) AS clients,
        total(coalesce(up_bytes, up_payload)) AS sent,
        total(coalesce(down_bytes, down_payload)) AS received,
        total(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes,
        max(last_ts) AS last_seen
    FROM conn
    GROUP BY 1
    ORDER BY bytes DESC, name
    LIMIT $limit
    """,
)

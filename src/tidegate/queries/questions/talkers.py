"""Which addresses move most?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="talkers",
    doc="addresses with connections, packets and bytes sent and received",
    tables=("conn",),
    sql="""
    WITH ends AS (
        SELECT src_ip AS address, NULL AS name, last_ts,
            coalesce(up_packets, 0) + coalesce(down_packets, 0) AS packets,
            coalesce(up_bytes, up_payload) AS out, coalesce(down_bytes, down_payload) AS back
        FROM conn
        UNION ALL
        SELECT dst_ip, lower(name), last_ts, coalesce(up_packets, 0) + coalesce(down_packets, 0),
            coalesce(down_bytes, down_payload), coalesce(up_bytes, up_payload)
        FROM conn
        WHERE dst_ip <> src_ip
    )
    SELECT
        address,
        arg_max(name, (last_ts, name)) AS name,
        count(*) AS connections,
        total(packets) AS packets,
        total(out) AS sent,
        total(back) AS received,
        total(out + back) AS bytes
    FROM ends
    GROUP BY address
    ORDER BY bytes DESC, address
    LIMIT $limit
    """,
)

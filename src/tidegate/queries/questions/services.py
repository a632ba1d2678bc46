"""Which protocols are spoken, by what was said?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="services",
    doc="services with port, connections, clients, packets and bytes",
    tables=("conn",),
    sql="""
    SELECT
        service,
        proto,
        CASE WHEN proto IN ('tcp', 'udp', 'sctp') THEN dst_port END AS port,
        count(*) AS connections,
        count(DISTINCT src_ip) AS clients,
        total(coalesce(up_packets, 0) + coalesce(down_packets, 0)) AS packets,
        total(coalesce(up_bytes, up_payload) + coalesce(down_bytes, down_payload)) AS bytes
    FROM conn
    GROUP BY ALL
    ORDER BY bytes DESC, service, proto, port
    LIMIT $limit
    """,
)

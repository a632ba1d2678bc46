"""What could not be delivered, and who says so?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="icmp-errors",
    doc="ICMP errors with the connection they speak of",
    tables=("icmp", "conn"),
    sql="""
    SELECT
        icmp.kind,
        icmp.code_name AS code,
        icmp.src_ip AS reporter,
        icmp.about_src_ip AS src_ip,
        icmp.about_dst_ip AS dst_ip,
        icmp.about_dst_port AS dst_port,
        icmp.about_proto AS proto,
        min(lower(conn.name)) AS name,
        min(conn.service) AS service,
        count(*) AS messages,
        max(icmp.ts) AS last_seen
    FROM icmp LEFT JOIN conn ON conn.uid = icmp.about_uid
    WHERE icmp.about_proto IS NOT NULL
    GROUP BY ALL
    ORDER BY messages DESC, last_seen DESC, reporter, src_ip, dst_ip, dst_port
    LIMIT $limit
    """,
)

"""In which countries and networks are the public addresses we talk with?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="places",
    doc="countries and networks (AS) of public addresses, by bytes",
    tables=("conn",),
    sql="""
    -- Both ends count: an inbound connection comes from somewhere, too.
    WITH ends AS (
        SELECT dst_country AS country, dst_asn AS asn, dst_as_org AS as_org, dst_city AS city,
            dst_ip AS address, coalesce(up_bytes, up_payload) AS sent,
            coalesce(down_bytes, down_payload) AS received
        FROM conn
        UNION ALL
        SELECT src_country, src_asn, src_as_org, src_city, src_ip,
            coalesce(down_bytes, down_payload), coalesce(up_bytes, up_payload)
        FROM conn
    )
    SELECT
        country,
        asn::BIGINT AS asn,
        min(as_org) AS as_org,
        several(city) AS cities,
        count(DISTINCT address) AS addresses,
        count(*) AS connections,
        total(sent) AS sent,
        total(received) AS received,
        total(sent + received) AS bytes
    FROM ends
    WHERE country IS NOT NULL OR asn IS NOT NULL
    GROUP BY country, asn
    ORDER BY bytes DESC, country, asn
    LIMIT $limit
    """,
)

"""In which countries and networks are the public addresses we talk with?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="places",
    doc="countries and networks (AS) of public addresses, by bytes",
    tables=("conn",),
    sql="""
    -- Both ends count: an inbound connection comes from somewhere, too. Addresses are added up first:
    -- there are far fewer of them than connections.
    WITH ends AS (
        SELECT dst_country AS country, dst_asn AS asn, dst_as_org AS as_org, dst_city AS city,
            dst_ip AS address, count(*) AS connections, sum(coalesce(up_bytes, up_payload)) AS sent,
            sum(coalesce(down_bytes, down_payload)) AS received
        FROM conn
        WHERE dst_country IS NOT NULL OR dst_asn IS NOT NULL
        GROUP BY ALL
        UNION ALL
        SELECT src_country, src_asn, src_as_org, src_city, src_ip, count(*),
            sum(coalesce(down_bytes, down_payload)), sum(coalesce(up_bytes, up_payload))
        FROM conn
        WHERE src_country IS NOT NULL OR src_asn IS NOT NULL
        GROUP BY ALL
    )
    SELECT
        country,
        asn::BIGINT AS asn,
        min(as_org) AS as_org,
        several(city) AS cities,
        count(DISTINCT address) AS addresses,
        total(connections) AS connections,
        total(sent) AS sent,
        total(received) AS received,
        total(sent + received) AS bytes
    FROM ends
    GROUP BY country, asn
    ORDER BY bytes DESC, country, asn
    LIMIT $limit
    """,
)

"""How much is missing, and how much was sent twice?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="losses",
    doc="connections in all, bytes missing in streams, segments sent again",
    tables=("conn",),
    sql="""
    SELECT
        count(*) AS connections,
        total(up_missed + down_missed) AS missed_bytes,
        total(up_retransmits + down_retransmits) AS retransmits
    FROM conn
    LIMIT $limit
    """,
)

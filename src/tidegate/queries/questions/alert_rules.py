"""Which rules raise alerts, and how often?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="alert-rules",
    doc="rules with their alerts: how many, how many are open, the longest, the highest",
    tables=("alert",),
    sql="""
    SELECT
        rule,
        metric,
        count(DISTINCT alert_id) AS alerts,
        count(DISTINCT alert_id) - count(DISTINCT alert_id) FILTER (WHERE state = 'recovered') AS open,
        several(key) AS keys,
        max(duration) AS longest,
        max(peak) AS peak,
        max(ts) AS last_seen
    FROM alert
    GROUP BY rule, metric
    ORDER BY alerts DESC, rule, metric
    LIMIT $limit
    """,
)

"""What raised an alert, and is it over?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="alerts",
    doc="alerts with their peak and how long they lasted, the latest first",
    tables=("alert",),
    sql="""
    -- An alert has two rows; after a crash one of them may be there twice.
    SELECT
        alert_id,
        any_value(rule) AS rule,
        any_value(key) AS key,
        any_value(severity) AS severity,
        max(state) AS state,
        min(since) AS since,
        max(ts) FILTER (WHERE state = 'recovered') AS recovered,
        max(duration) AS duration,
        max(peak) AS peak,
        any_value(threshold) AS threshold,
        arg_max(message, state) AS message,
        any_value(metric) AS metric
    FROM alert
    GROUP BY alert_id
    ORDER BY since DESC, alert_id
    LIMIT $limit
    """,
)

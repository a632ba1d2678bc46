"""What raised an alert, and is it over?"""

from tidegate.queries.question import Question

QUESTION = Question(
    name="alerts",
    doc="alerts that began, were open or ended then, with peak and length, the latest first",
    tables=("alert",),
    whole=True,
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
    WHERE $until::TIMESTAMP_NS IS NULL OR ts < $until::TIMESTAMP_NS
    GROUP BY alert_id
    -- What began before the window counts as long as it is open, however long ago that was.
    HAVING max(state) <> 'recovered' OR $since::TIMESTAMP_NS IS NULL OR max(ts) >= $since::TIMESTAMP_NS
    ORDER BY since DESC, alert_id
    LIMIT $limit
    """,
)

"""What `status` says, as metrics of Prometheus. With metrics.py the one door to prometheus-client.

No address, name or URL of a stranger is ever a label: strangers would decide how many series there are, and
who may read the figures would learn who talks to whom. Labels are words of ours, and names the configuration
gives to logs, mails, webhooks, reports and windows.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

Status = Callable[[], Mapping[str, Any]]
Facts = Mapping[str, Any]


class Figures:
    """Collects them when it is asked."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        status = self._status()
        yield from _of_capture(status)
        yield from _of_drops(status)
        yield from _of_connections(status)
        yield from _of_alerts(status)
        yield from _of_parts(status.get("parts", []))
        yield from _of_notices(status.get("notices", []))
        yield from _of_reports(status.get("reports", []))


def _of_capture(status: Facts) -> Iterator[Metric]:
    yield GaugeMetricFamily("tidegate_up", "1 while packets are captured", float(status["capturing"]))
    yield GaugeMetricFamily("tidegate_uptime_seconds", "Seconds since the start", status["uptime"])
    missing = len(status.get("waiting_for", []))
    yield GaugeMetricFamily("tidegate_interfaces_missing", "Interfaces that are waited for", missing)
    down = len(status.get("interfaces_down", []))
    yield GaugeMetricFamily("tidegate_interfaces_down", "Watched interfaces that are switched off", down)
    yield CounterMetricFamily("tidegate_reloads", "Configurations taken over", status.get("reloads", 0))
    for name, words in (("packets", "Packets seen"), ("bytes", "Bytes seen, as on the wire")):
        yield CounterMetricFamily(f"tidegate_{name}", words, status.get(name, 0))


def _of_drops(status: Facts) -> Iterator[Metric]:
    words = "What was lost, by place: packets at the kernel, rows at the others"
    dropped = CounterMetricFamily("tidegate_dropped", words, labels=["place"])
    for place, count in status.get("dropped", {}).items():
        dropped.add_metric([place.removeprefix("by ").removeprefix("the ").removeprefix("a ")], count)
    dropped.add_metric(["store"], status.get("stored_lost", 0))
    dropped.add_metric(["failed output"], status.get("missed_rows", 0))
    yield dropped


def _of_connections(status: Facts) -> Iterator[Metric]:
    yield CounterMetricFamily("tidegate_connections", "Connections seen", status.get("connections", 0))
    yield GaugeMetricFamily("tidegate_connections_open", "Connections open now", status.get("flows", 0))
    words = "Connections that are over, by how they went in Zeek's terms"
    closed = CounterMetricFamily("tidegate_connections_closed", words, labels=["conn_state"])
    for state, count in status.get("connections_closed", {}).items():
        closed.add_metric([state], count)
    yield closed


def _of_alerts(status: Facts) -> Iterator[Metric]:
    open_ones, seen = status.get("alerts_open", 0), status.get("alerts_acknowledged", 0)
    yield GaugeMetricFamily("tidegate_alerts_open", "Alerts that are not over", open_ones)
    gauge = GaugeMetricFamily("tidegate_alerts", "Alerts that are not over, by state", labels=["state"])
    gauge.add_metric(["unacknowledged"], open_ones - seen)
    gauge.add_metric(["acknowledged"], seen)
    yield gauge
    words = "Alerts that were raised and have recovered since the start"
    changes = CounterMetricFamily("tidegate_alert_changes", words, labels=["state", "severity"])
    for told in status.get("alerts_told", []):
        changes.add_metric([told["state"], told["severity"]], told["count"])
    yield changes


def _of_parts(parts: list[Facts]) -> Iterator[Metric]:
    working = GaugeMetricFamily("tidegate_part_up", "1 while the part works", labels=["part"])
    failures = CounterMetricFamily("tidegate_part_failures", "Times the part failed", labels=["part"])
    lost = CounterMetricFamily("tidegate_part_lost_rows", "Rows the part could not take", labels=["part"])
    words = "What waits for the part: bytes of a log or a spool, records of the logger"
    waiting = GaugeMetricFamily("tidegate_part_waiting", words, labels=["part"])
    words = "Seconds for which rows have been waiting for a log, the logger or a server"
    lag = GaugeMetricFamily("tidegate_sink_lag_seconds", words, labels=["part"])
    for part in parts:
        working.add_metric([part["name"]], float(not part.get("error")))
        failures.add_metric([part["name"]], part.get("failures", 0))
        lost.add_metric([part["name"]], part.get("lost", 0))
        waiting.add_metric([part["name"]], part.get("waiting", 0))
        if "lag" in part:
            lag.add_metric([part["name"]], part["lag"])
    yield from (working, failures, lost, waiting, lag)


def _of_notices(actions: list[Facts]) -> Iterator[Metric]:
    """Of mails and webhooks."""
    words = "Alerts that a mail or webhook was not told of"
    lost = CounterMetricFamily("tidegate_notices_lost", words, labels=["action"])
    words = "Alerts that a mail or webhook is still to be told of"
    waiting = GaugeMetricFamily("tidegate_notices_waiting", words, labels=["action"])
    words = "Seconds for which the oldest of these has been waiting"
    lag = GaugeMetricFamily("tidegate_notices_lag_seconds", words, labels=["action"])
    for action in actions:
        lost.add_metric([action["name"]], action["lost"])
        waiting.add_metric([action["name"]], action["waiting"])
        lag.add_metric([action["name"]], action["lag"])
    yield from (lost, waiting, lag)


def _of_reports(reports: list[Facts]) -> Iterator[Metric]:
    """Of the schedule's."""
    words = "When the report was made last, in seconds since 1970"
    made = GaugeMetricFamily("tidegate_report_made_timestamp_seconds", words, labels=["report"])
    words = "1 where the last attempt to make it failed"
    failed = GaugeMetricFamily("tidegate_report_failed", words, labels=["report"])
    for report in reports:
        if report["made"] is not None:
            made.add_metric([report["name"]], report["made"])
        failed.add_metric([report["name"]], float(report["failed"]))
    yield from (made, failed)

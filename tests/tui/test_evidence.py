"""The details of an alert: who was told of it, and the connections that are behind it."""

from dataclasses import replace
from typing import Any

import pytest
from screens import CONTROLS, after
from town import DESK, NOW, TownFeed, batch, conn, program, settled

from tidegate.model.config import RuleSettings
from tidegate.tui.board.alarms import Alert
from tidegate.tui.board.board import SECOND
from tidegate.tui.board.desk import desk_of
from tidegate.tui.views import evidence
from tidegate.tui.views.view import Scene

TOLD = {
    "A2": [
        {"name": "ops", "at": NOW - 170 * SECOND, "error": ""},
        {"name": "pager", "at": NOW - 160 * SECOND, "error": "HTTP 503 \x1b[31m"},
    ],
    "A1": 5,
}


def alert(metric: str, key: str | None = None, **values: Any) -> Alert:
    row = {"rule": "r", "metric": metric, "key": key}
    return Alert("A", row, values.get("raised", NOW - 10 * SECOND), values.get("recovered"))


def found(one: Alert, **rule: Any) -> list[str]:
    settings = RuleSettings("r", one.row["metric"], threshold=1, window=60.0, **rule)
    conns = evidence.behind(Scene(settled()), one, [settings])
    return sorted(each.uid[-1] for each in conns)


@pytest.mark.parametrize(
    ("metric", "key", "rule", "uids"),
    [
        ("connections", None, {}, "1234567"),
        ("bytes", "firefox", {"key": "process_name"}, "16"),
        ("bytes", "10.0.0.2 443", {"key": "src_ip,dst_port"}, "137"),
        ("packets", None, {"filter": "prog:firefox bytes:>2M"}, "1"),
        ("failed_connections", "10.0.0.2", {"key": "src_ip"}, "3"),
        ("http_requests", "www.example.org", {"key": "host", "filter": "status:>=500"}, "4"),
        ("http_requests", "www.example.org /api", {"key": "host,section"}, "4"),
        ("new_program", "/usr/bin/wget", {}, "7"),
        ("new_place", "RO", {}, "3"),
        ("distinct_ports", "10.0.0.5", {}, "2"),
        ("kernel_drops", "eth0", {}, ""),
    ],
)
def test_connections_match_filter_key_and_metric(
    metric: str, key: str | None, rule: dict[str, Any], uids: str
) -> None:
    assert "".join(found(alert(metric, key), **rule)) == uids


def test_only_connections_of_its_time_count() -> None:
    assert found(alert("connections", raised=NOW + 3600 * SECOND)) == []
    assert found(alert("connections", raised=NOW - 900 * SECOND, recovered=NOW - 800 * SECOND)) == []


def test_an_alert_of_a_rule_that_is_gone_has_none() -> None:
    assert evidence.behind(Scene(settled()), alert("bytes"), []) == []


def test_enter_shows_who_was_told_and_what_is_behind_it() -> None:
    rules = (RuleSettings("http-rate", "http_requests", threshold=500),)
    feed = TownFeed()
    feed.inbox.settle(desk_of(DESK | {"told": TOLD}))
    shot = after("7", "enter", feed=feed, controls=replace(CONTROLS, rules=rules), size=(90, 40))
    assert "told ops" in shot
    assert "✔ told 13:59:21" in shot
    assert r"FAILED 13:59:31: HTTP 503 \x1b[31m" in shot
    assert "Connections behind it: 1, the largest first" in shot
    assert "www.example.org:80" in shot


def test_the_table_says_who_was_told() -> None:
    feed = TownFeed()
    feed.inbox.settle(desk_of(DESK | {"told": TOLD}))
    assert "ops ok, pager FAILED" in after("7", feed=feed, size=(200, 30))


def test_of_many_the_largest_are_listed() -> None:
    rows = [conn(number, up_bytes=number, **program("curl", 7)) for number in range(1, 31)]
    rule = (RuleSettings("http-rate", "connections", threshold=1, key="process_name"),)
    raised = {
        "ts": NOW, "alert_id": "A", "rule": "http-rate", "state": "raised", "severity": "info", "key": "curl",
        "metric": "connections", "value": 1.0, "threshold": 1.0, "clear": 1.0, "since": NOW, "message": "m",
    }  # fmt: skip
    feed = TownFeed([batch("conn", rows), batch("alert", [raised])])
    shot = after("7", "enter", feed=feed, controls=replace(CONTROLS, rules=rule), size=(100, 60))
    assert "Connections behind it: 30, the largest first" in shot
    assert "and 10 more" in shot

"""Rules as they are written: what is wrong is said in one line that names the rule."""

import re
from pathlib import Path
from typing import Any

import pytest

from alarms import rule
from tidegate.alerts.actions import Actions
from tidegate.alerts.ledger import Ledger
from tidegate.alerts.metrics import KINDS
from tidegate.alerts.rules import PLACES, compile_rules
from tidegate.alerts.silences import Silences
from tidegate.model.config import AlertMailSettings, AlertSettings, SilenceSettings, WebhookSettings
from tidegate.model.config.alerts import FROM_ZERO, METRICS
from tidegate.model.errors import UsageError
from tidegate.model.tables import find_table
from tidegate.settings.build import build
from tidegate.settings.document import parse_document


def check(settings: AlertSettings) -> None:
    """Refuses what the stage would refuse at its start."""
    compile_rules(settings.rules)
    Actions(settings).check(settings.rules)
    Silences(settings.silences, Ledger())


def test_every_metric_is_there_and_looks_at_columns_that_are() -> None:
    assert tuple(KINDS) == METRICS
    for name, kind in KINDS.items():
        there = {column.name for column in find_table(kind.table).columns}
        assert {*kind.columns, *([kind.key] if kind.key else [])} <= there, name
    assert {name for name, kind in KINDS.items() if kind.threshold is not None} == set(FROM_ZERO)


def test_the_shipped_rules_are_right() -> None:
    check(AlertSettings())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metric": "http_request"}, 'there is no metric "http_request"; did you mean "http_requests"'),
        ({"threshold": None}, "threshold: http_requests needs a threshold"),
        ({"threshold": float("nan")}, "needs a threshold"),
        ({"threshold": -1}, "needs a threshold"),
        ({"clear": 3}, "clear: a number from 0 to the threshold, 2, is"),
        ({"key": "hots"}, 'key: there is no column in http "hots"; did you mean "host"?'),
        ({"key": "host, process_name"}, 'no column in http "process_name"'),
        ({"metric": "bytes", "key": "status_class"}, 'no column in conn "status_class"'),
        ({"filter": "prog:curl"}, 'filter: "prog:curl" is about columns that table http has not'),
        ({"filter": "hst:x"}, 'there is no field "hst"'),
        ({"window": 0.5}, "window: a time from 1s to 31d"),
        ({"window": float("inf")}, "window: a time from 1s to 31d"),
        ({"hold": -1.0}, "hold: a time from 0s"),
        ({"settle": float("nan")}, "settle: a time from 0s"),
        ({"metric": "quota", "reset_day": 0}, "reset_day: a day of the month"),
        ({"metric": "quota", "levels": ()}, "levels: shares"),
        ({"metric": "quota", "levels": (0.0,)}, "levels: shares"),
        ({"message": "{value:999999999}"}, "a width of 99 at most"),
        ({"message": "{rule:{key}}"}, "a width of 99 at most"),
        ({"message": "{value.__class__}"}, "there is no place in a message"),
        ({"message": "{vlaue}"}, 'did you mean "value"'),
        ({"message": "{}"}, "there is no place in a message"),
        ({"message": "{value:x}"}, "message: "),
        ({"message": "{value"}, "message: "),
        ({"name": ""}, "a name is needed"),
        ({"name": "*"}, "a name is needed"),
        ({"name": "n" * 101}, "a name is needed"),
        ({"actions": ("pager",)}, 'there is no action "pager"; there are log, screen'),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        check(AlertSettings(rules=(rule(**given),)))
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "alert rule" in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (AlertSettings(rules=(rule(), rule())), "there are two rules"),
        (AlertSettings(silences=(SilenceSettings(),)), "a silence needs"),
        (AlertSettings(silences=(SilenceSettings(source="home"),)), '"home" is no address'),
        (AlertSettings(webhooks=(WebhookSettings("log", "https://x"),)), '"log" is no name for an action'),
        (
            AlertSettings(
                webhooks=(WebhookSettings("a", "https://x"),), mails=(AlertMailSettings("a", ("a@b.c",)),)
            ),
            "or taken",
        ),
    ],
)
def test_what_is_wrong_with_the_whole_is_said(settings: AlertSettings, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check(settings)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("keyed", [False, True])
def test_every_metric_has_words_of_its_own(metric: str, keyed: bool) -> None:
    key = {"http": "section", "conn": "dst_country", "health": "source"}[KINDS[metric].table]
    [made] = compile_rules([rule(metric, 5e6, key=key if keyed else None)])
    said = made.message(6e6, 5e6, "KEY" if made.keyed else None)
    assert said
    assert "{" not in said
    assert ("KEY" in said) == made.keyed


def test_a_message_takes_what_it_may() -> None:
    message = " ".join("{" + place + "}" for place in PLACES)
    [made] = compile_rules([rule(threshold=1000, window=5400.0, message=message)])
    assert made.message(1500, 1000, "k") == "1500 1000 1.5 kB 1.0 kB k http_requests http_requests 90m"


def test_the_examples_of_the_documentation_are_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    shown = set()
    for number, example in enumerate(re.findall(r"```yaml\n(.*?)```", page, re.S)):
        settings = build(parse_document(example, f"{number}.yml")).alerts
        compile_rules(settings.rules)
        Silences(settings.silences, Ledger())
        shown |= {each.metric for each in settings.rules} if "rules:" in example else set()
    assert shown == set(METRICS)
    for metric in METRICS:
        assert f"\n| `{metric}` | " in page

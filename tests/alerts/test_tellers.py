"""Over a reload: who is told keeps what waits and what was lost; only the end of the program ends it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alarms import Watched, asked, notice, rule
from helpers import wait_for
from hook import hooked
from tidegate.alerts.actions import Tellers
from tidegate.alerts.actions.mailing import mailer
from tidegate.alerts.actions.tellers import Way
from tidegate.alerts.actions.webhook import Webhook
from tidegate.model.config import AlertMailSettings, WebhookSettings


@pytest.fixture
def tellers() -> Iterator[Tellers]:
    made = Tellers()
    try:
        yield made
    finally:
        made.close(2.0)


def way(url: str, retries: int = 5, **given: float) -> Way:
    settings = WebhookSettings("ops", url, retries=retries, **given)
    return Way(settings, Webhook(settings))


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("tidegate-alert-")]


def test_the_same_settings_keep_what_waits_and_its_thread(tellers: Tellers, tmp_path: Path) -> None:
    with hooked(503, 200) as hook:
        hooks = (WebhookSettings("ops", hook.url),)
        told = rule(actions=("ops",))
        first = Watched(told, state=tmp_path / "alerts", webhooks=hooks, tellers=tellers)
        assert first.see(asked(0, 3)) == ["raised http_requests"]
        wait_for(lambda: hook.asked == 1)
        first.close()
        second = Watched(told, state=tmp_path / "alerts", webhooks=hooks, tellers=tellers)
        assert threads() == ["tidegate-alert-ops"]
        assert (hook.asked, second.stage.notices()[0]["waiting"]) == (1, 1)
        wait_for(lambda: len(hook.bodies) == 1)
        assert second.stage.notices()[0]["lost"] == 0
        second.close()
    tellers.close()
    assert not threads()


def test_losses_are_counted_on(tellers: Tellers) -> None:
    with hooked(404) as hook:
        for lost in (1, 2):
            tellers.follow({"ops": way(hook.url)})
            tellers.tell("ops", notice())
            wait_for(lambda lost=lost: tellers.lost() == {"ops": lost})
        tellers.follow({"ops": way(hook.url + "&b=2")})
        assert tellers.lost() == {"ops": 2}


def test_other_settings_get_what_waits_at_once(tellers: Tellers) -> None:
    with hooked(503) as wrong, hooked(200) as right:
        tellers.follow({"ops": way(wrong.url)})
        for state in ("raised", "recovered"):
            tellers.tell("ops", notice(state=state, duration=5.0))
        wait_for(lambda: wrong.asked == 1)
        tellers.follow({"ops": way(right.url)})
        wait_for(lambda: len(right.bodies) == 2)
        assert [body["state"] for body in right.bodies] == ["raised", "recovered"]
        wait_for(lambda: tellers.standings()[0]["waiting"] == 0)
        assert tellers.lost() == {"ops": 0}


def test_a_mail_of_the_name_takes_over_from_a_webhook(tellers: Tellers) -> None:
    mail = AlertMailSettings("ops", ("a@localhost",), server="127.0.0.1:1", retries=0)
    with hooked(503) as hook:
        tellers.follow({"ops": way(hook.url)})
        tellers.tell("ops", notice())
        wait_for(lambda: hook.asked == 1)
        tellers.follow({"ops": Way(mail, mailer(mail))})
        wait_for(lambda: tellers.lost() == {"ops": 1})
    assert hook.asked == 1


def test_one_that_is_gone_has_its_last_attempt(tellers: Tellers, caplog: pytest.LogCaptureFixture) -> None:
    with hooked(503, 200) as hook:
        tellers.follow({"ops": way(hook.url)})
        tellers.tell("ops", notice())
        wait_for(lambda: hook.asked == 1)
        tellers.follow({})
        assert len(hook.bodies) == 1
    assert (threads(), tellers.standings()) == ([], [])
    tellers.tell("ops", notice())
    assert "not told" not in caplog.text


def test_a_stage_that_fails_leaves_what_waits(tellers: Tellers, tmp_path: Path) -> None:
    with hooked(503, 200) as hook:
        watched = Watched(
            rule(actions=("ops",)), webhooks=(WebhookSettings("ops", hook.url),), tellers=tellers
        )
        watched.see(asked(0, 3))
        watched.kill()
        wait_for(lambda: len(hook.bodies) == 1)

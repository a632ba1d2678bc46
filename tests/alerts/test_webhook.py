"""Webhooks against a real HTTP server: refusing, failing, slow, dripping, closing; over TLS; at the end."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from alarms import Watched, asked, certificate, notice, rule
from helpers import wait_for
from hook import Answer, hooked
from tidegate.alerts.actions import Teller
from tidegate.alerts.actions.teller import MOST_WAITING
from tidegate.alerts.actions.webhook import Webhook
from tidegate.model.config import WebhookSettings
from tidegate.model.errors import UsageError


@contextmanager
def telling(url: str, retries: int = 3, timeout: float = 5.0, **given: Any) -> Iterator[Teller]:
    """A teller that tries again at once."""
    settings = WebhookSettings("hook", url, timeout=timeout, retries=retries, **given)
    teller = Teller("hook", Webhook(settings), retries, timeout, first_wait=0.01)
    teller.start()
    try:
        yield teller
    finally:
        teller.finish()
        teller.join(5.0)


def test_json_is_posted_in_order() -> None:
    with (
        hooked(200) as hook,
        telling(hook.url, headers=("X-Token: abc", "Authorization: Bearer ${HOME}")) as teller,
    ):
        teller.tell(notice(state="raised"))
        teller.tell(notice(state="recovered", duration=5.0))
        wait_for(lambda: len(hook.bodies) == 2)
    assert [body["state"] for body in hook.bodies] == ["raised", "recovered"]
    assert hook.bodies[0]["ts"] == "2026-11-20T10:00:00.000000Z"
    assert hook.bodies[0]["text"] == "alert raised (warning, http-traffic): High traffic"
    assert hook.bodies[0]["duration"] is None
    headers = hook.headers[0]
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Token"] == "abc"
    assert "${HOME}" not in headers["Authorization"]
    assert teller.lost == 0


def drip(handler: BaseHTTPRequestHandler) -> None:
    """An answer a byte at a time, without an end."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(200):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        pass


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x1b]52;c;x\x07 not HTTP\r\n\r\n")
    handler.close_connection = True


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A body without an end: nobody reads it."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        for _ in range(50):
            handler.wfile.write(b"y" * 65536)
    except OSError:
        pass


@pytest.mark.parametrize("trouble", [500, 503, 408, 429, garbage, silent, drip])
def test_after_trouble_it_is_tried_again(trouble: int | Answer) -> None:
    with hooked(trouble, trouble, 200) as hook, telling(hook.url, timeout=0.5) as teller:
        teller.tell(notice(alert_id="a"))
        teller.tell(notice(alert_id="b"))
        wait_for(lambda: len(hook.bodies) == 2)
    assert [body["alert_id"] for body in hook.bodies] == ["a", "b"]
    assert teller.lost == 0


@pytest.mark.parametrize(("status", "attempts"), [(400, 1), (401, 1), (404, 1), (302, 1), (500, 4)])
def test_what_is_lost_is_counted_and_said(
    status: int, attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    with hooked(*[status] * attempts, 200) as hook, telling(hook.url) as teller:
        teller.tell(notice(alert_id="lost"))
        teller.tell(notice(alert_id="told"))
        wait_for(lambda: hook.bodies)
    assert [body["alert_id"] for body in hook.bodies] == ["told"]
    assert hook.asked == attempts + 1
    assert teller.lost == 1
    assert f"hook was not told: the server answered {status} (1 lost so far)" in caplog.text


def test_a_body_without_end_is_not_read() -> None:
    with hooked(endless, 200) as hook, telling(hook.url) as teller:
        teller.tell(notice())
        teller.tell(notice())
        wait_for(lambda: hook.bodies)
    assert teller.lost == 0


def test_nobody_there_costs_nobody_else_anything(caplog: pytest.LogCaptureFixture) -> None:
    """Two of three hooks are down; the third, the log and the rows have everything, at once."""
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as mute, hooked(200) as hook:
        mute_url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        hooks = (
            WebhookSettings("down", "http://127.0.0.1:1/", retries=0),
            WebhookSettings("mute", mute_url, timeout=30.0),
            WebhookSettings("up", hook.url),
        )
        actions = ("down", "mute", "up", "log")
        watched = Watched(rule(key="host", actions=actions), webhooks=hooks)
        began = time.monotonic()
        for number in range(20):
            watched.see(asked(0, 3, host=f"h{number}"))
        assert time.monotonic() - began < 5, "telling never waits"
        wait_for(lambda: len(hook.bodies) == 20)
        wait_for(lambda: watched.stage.counts()["lost_down"] == 20)
        watched.stage._actions.close(deadline=0.1)
        wait_for(lambda: watched.stage.counts()["lost_mute"] == 20)
        watched.close()
    assert [body["key"] for body in hook.bodies] == [f"h{number}" for number in range(20)]
    assert len(watched.alerts) == 20
    assert watched.stage.counts()["lost_up"] == 0
    assert sum("alert raised" in record.getMessage() for record in caplog.records) == 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tidegate-alert")]


def test_a_full_queue_loses_the_new_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        teller = Teller("hook", Webhook(WebhookSettings("hook", url_of(mute))), 0, 30.0)
        teller.start()
        for _ in range(MOST_WAITING + 51):
            teller.tell(notice())
        assert 49 <= teller.lost <= 51
        assert caplog.text.count("1000 alerts wait already") == 1
        teller.finish()
        teller.join(0.05)
    wait_for(lambda: teller.lost == MOST_WAITING + 51)


def url_of(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_at_the_end_everything_is_tried_once_more() -> None:
    with hooked(500, 200) as hook:
        teller = Teller("hook", Webhook(WebhookSettings("hook", hook.url)), 5, 5.0, first_wait=3600.0)
        teller.start()
        teller.tell(notice(alert_id="a"))
        teller.tell(notice(alert_id="b"))
        wait_for(lambda: hook.asked == 1)
        teller.finish()
        teller.join(5.0)
        assert [body["alert_id"] for body in hook.bodies] == ["a", "b"]
        assert teller.lost == 0
        teller.tell(notice())
        assert teller.lost == 1, "after the end nobody is told"


def test_tls_is_checked(tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path)
    with hooked(200, tls=tls) as hook:
        with telling(hook.url, retries=0) as teller:
            teller.tell(notice())
            wait_for(lambda: teller.lost == 1)
        with telling(hook.url, retries=0, ca_file=str(trusted)) as teller:
            teller.tell(notice())
            wait_for(lambda: hook.bodies)
    assert len(hook.bodies) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ftp://x/"}, "its URL is none"),
        ({"url": "https://"}, "its URL is none"),
        ({"url": "http://x:99999/"}, "its URL is none"),
        ({"url": "http://[::1/"}, "its URL is none"),
        ({"url": "http://x/\r\nEvil: 1"}, "its URL is none"),
        ({"url": "http://x/a b\x00"}, "its URL is none"),
        ({"url": "http://me:secret@x/"}, "holds a password"),
        ({"headers": ("NoColon",)}, '"Name: value"'),
        ({"headers": ("Bad Name: x",)}, '"Name: value"'),
        ({"headers": ("Host: x",)}, '"Name: value"'),
        ({"headers": ("X: a\r\nEvil: b",)}, "only printable"),
        ({"headers": ("X: \x1b[31m",)}, "only printable"),
        ({"headers": ("X: ${TIDEGATE_NOT_THERE}",)}, "no variable TIDEGATE_NOT_THERE"),
        ({"ca_file": "/not/there"}, "/not/there"),
        ({"timeout": 0.0}, "webhook hook: a timeout above 0"),
        ({"retries": -1}, "webhook hook: no negative retries"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Webhook(WebhookSettings(**{"name": "hook", "url": "https://hooks.example/SECRET", **given}))
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value).lower()


def test_how_many_wait_and_for_how_long_is_known() -> None:
    with hooked(lambda handler: hook.released.wait(10) and None) as hook, telling(hook.url, 0) as teller:
        assert (teller.waiting, teller.lag) == (0, 0.0)
        teller.tell(notice())
        teller.tell(notice())
        wait_for(lambda: hook.asked == 1 and teller.lag > 0)
        assert teller.waiting == 2
        hook.released.set()
        wait_for(lambda: teller.waiting == 0)
        assert (teller.lost, teller.lag) == (2, 0.0)


def test_what_became_of_each_alert_is_known_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.alerts.actions.teller.MOST_OUTCOMES", 2)
    with hooked(200, 503, 200, 404) as hook, telling(hook.url, 1) as teller:
        for name in ("a1", "a2", "a3"):
            teller.tell(notice(alert_id=name))
        wait_for(lambda: "a3" in teller.outcomes())
        outcomes = {name: error for name, (_at, error) in teller.outcomes().items()}
        assert outcomes == {"a2": "", "a3": "the server answered 404"}


def test_a_refusal_is_told_without_numbers(caplog: pytest.LogCaptureFixture) -> None:
    with telling("http://127.0.0.1:1/", 0) as teller:
        teller.tell(notice())
        wait_for(lambda: teller.lost == 1)
    assert "hook was not told: Connection refused (1 lost so far)" in caplog.text


def test_what_no_library_expects_is_counted_and_the_next_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with telling("http://a..b/") as teller:  # no name: UnicodeError, from the resolver
        teller.tell(notice(alert_id="a"))
        teller.tell(notice(alert_id="b"))
        wait_for(lambda: teller.lost == 2)
    assert teller.waiting == 0
    assert "hook was not told: UnicodeError" in caplog.text

"""The sink for Elasticsearch and OpenSearch against a server that is well, in trouble, or away."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from alarms import certificate
from elastic_server import elastic, say
from helpers import wait_for
from log_rows import conns, golden, rows
from tidegate.model.config import ElasticSettings
from tidegate.model.errors import TidegateError
from tidegate.sinks.elastic.sink import ElasticSink

GONE = "http://127.0.0.1:1"
"""Nobody listens there."""


def settings(url: str, **others: Any) -> ElasticSettings:
    whole: dict[str, Any] = {
        "name": "one",
        "urls": (url,),
        "tables": ("conn",),
        "bulk_wait": 0.0,
        "timeout": 5.0,
    }
    return ElasticSettings(**(whole | others))


@contextmanager
def sink(folder: Path, url: str, **others: Any) -> Iterator[ElasticSink]:
    made = ElasticSink(settings(url, **others), folder / "spool")
    try:
        yield made
    finally:
        made.close()


def test_rows_arrive_as_ecs_in_a_stream_for_each_table(tmp_path: Path) -> None:
    with elastic() as server, sink(tmp_path, server.url, tables=("conn", "http")) as out:
        batches = [batch for table in ("conn", "http", "dns") for batch in golden("http4", table)]
        for batch in batches:
            out.write(batch)
        out.close()
    assert {name: len(found) for name, found in server.streams.items()} == {
        f"tidegate-{batch.table}": batch.num_rows for batch in batches if batch.table != "dns"
    }
    event = next(iter(server.streams["tidegate-http"].values()))
    assert event["event"]["dataset"] == "tidegate.http"
    assert event["source"]["ip"] == "192.0.2.1"
    assert set(server.templates) == {"tidegate-conn", "tidegate-http"}
    assert out.lost == out.waiting == 0
    assert not out.trouble


def test_flat_rows_have_our_names(tmp_path: Path) -> None:
    with elastic() as server, sink(tmp_path, server.url, format="flat", stream="net") as out:
        out.write(conns(3))
        out.close()
    found = list(server.streams["net-conn"].values())
    assert [event["uid"] for event in found] == ["C00000000", "C00000001", "C00000002"]
    assert found[0]["@timestamp"] == "2026-11-20T10:20:54.000000000Z"


def test_what_is_sent_again_is_there_already(tmp_path: Path) -> None:
    with elastic() as server:
        for _ in range(2):
            with sink(tmp_path, server.url) as out:
                out.write(conns(50))
        assert server.count() == 50
    assert "50 were there" in out.said


def test_only_wanted_rows_are_sent(tmp_path: Path) -> None:
    with elastic() as server, sink(tmp_path, server.url, filter="sport:<10") as out:
        out.write(conns(20))
        out.write(rows("conn", 2, state=["active"] * 2))
        out.close()
        assert server.count() == 10


def test_rows_wait_on_disk_while_the_server_is_away_and_over_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with sink(tmp_path, GONE) as out:
        out.write(conns(500))
        wait_for(lambda: out.waiting and out.trouble)
        assert "127.0.0.1:1: Connection refused" in out.trouble
        assert out.lag >= 0.0
    assert out.lost == 0
    assert "rows wait on disk" in caplog.text
    with elastic() as server, sink(tmp_path, server.url) as again:
        server.wait(500)
        wait_for(lambda: not again.waiting)
    assert {path.name for path in (tmp_path / "spool").iterdir()} == {"lock"}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_server_in_trouble_gets_the_rows_later(
    status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with elastic(status, 200) as server, sink(tmp_path, server.url) as out:
        out.write(conns(10))
        server.wait(10)
        wait_for(lambda: not out.trouble)
    assert out.lost == 0
    assert caplog.text.count(f"the server answered {status}: said {status}") == 1
    assert "takes rows again" in caplog.text


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def half(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"items":')
    request.close_connection = True


def nonsense(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


def other_items(request: BaseHTTPRequestHandler) -> None:
    say(request, 200, {"items": [{"create": {"status": 201}}]})


def no_http(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"\x00\xff" * 100 + b"\r\n")
    request.close_connection = True


def far_too_long(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while True:  # until the other side has had enough
        try:
            request.wfile.write(b" " * (1 << 20))
        except OSError:
            return


@pytest.mark.parametrize("answer", [hang_up, half, nonsense, other_items, no_http, far_too_long])
def test_an_answer_that_is_none_loses_no_row(answer: Any, tmp_path: Path) -> None:
    with elastic(answer, 200) as server, sink(tmp_path, server.url) as out:
        out.write(conns(10))
        server.wait(10)
        wait_for(lambda: not out.waiting)
    assert out.lost == 0


def test_a_server_that_says_nothing_is_left_after_the_timeout(tmp_path: Path) -> None:
    def silent(request: BaseHTTPRequestHandler) -> None:
        server.released.wait(30)

    with elastic(silent, 200) as server, sink(tmp_path, server.url, timeout=0.3) as out:
        out.write(conns(10))
        server.wait(10)
    assert out.lost == 0


def test_the_end_does_not_wait_for_a_silent_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.sinks.elastic.sink.LAST", 0.1)

    def silent(request: BaseHTTPRequestHandler) -> None:
        server.released.wait(60)

    with elastic(silent, silent) as server:
        with sink(tmp_path, server.url, timeout=60.0) as out:
            out.write(conns(10))
            wait_for(lambda: "POST /_bulk" in server.asked)
        assert not [each.name for each in threading.enumerate() if "elastic-one" in each.name]
        assert out.waiting > 0
        server.released.set()
        server.answers.clear()
        with sink(tmp_path, server.url) as again:
            server.wait(10)
            wait_for(lambda: not again.waiting)


def test_rows_that_are_pushed_back_come_again_alone(tmp_path: Path) -> None:
    busy = {3, 7}

    def refuse(source: dict[str, Any]) -> tuple[int, str] | None:
        number = source["source"]["port"]
        if number not in busy:
            return None
        busy.discard(number)
        return 429, "es_rejected_execution_exception"

    with elastic(refuse=refuse) as server, sink(tmp_path, server.url) as out:
        out.write(conns(10))
        server.wait(10)
        wait_for(lambda: not out.trouble)
    assert server.sizes == [10, 2]
    assert out.lost == 0


def test_refused_rows_are_counted_and_said_once_a_kind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(source: dict[str, Any]) -> tuple[int, str] | None:
        number = source["source"]["port"]
        return (400, f"kind_{number % 2}_exception") if number < 6 else None

    with elastic(refuse=refuse) as server, sink(tmp_path, server.url) as out:
        out.write(conns(10))
        server.wait(4)
        wait_for(lambda: not out.waiting)
        assert out.trouble == "6 rows refused"
    assert out.lost == 6
    assert [caplog.text.count(f"because of kind_{kind}_exception") for kind in (0, 1)] == [1, 1]


def test_a_stream_that_cannot_be_made_is_not_the_rows_fault(tmp_path: Path) -> None:
    full = [True]

    def refuse(source: dict[str, Any]) -> tuple[int, str] | None:
        return (400, "validation_exception") if full[0] else None

    with elastic(refuse=refuse) as server, sink(tmp_path, server.url) as out:
        out.write(conns(5))
        wait_for(lambda: "validation_exception" in out.trouble)
        full[0] = False
        server.wait(5)
    assert out.lost == 0


def test_a_request_that_is_too_large_is_halved_until_it_is_not(tmp_path: Path) -> None:
    with elastic(largest=20_000) as server, sink(tmp_path, server.url) as out:
        out.write(conns(200))
        server.wait(200)
        out.write(conns(200, first=200))
        server.wait(400)
    assert out.lost == 0
    assert max(server.sizes) < 100


def test_a_row_that_is_too_large_alone_is_refused(tmp_path: Path) -> None:
    with elastic(largest=20_000) as server, sink(tmp_path, server.url) as out:
        out.write(conns(10, name=["x"] * 9 + ["x" * 50_000]))
        server.wait(9)
        wait_for(lambda: not out.waiting)
    assert out.lost == 1
    assert "1 row refused" in out.trouble


def test_one_row_that_spoils_a_request_is_found(tmp_path: Path) -> None:
    def spoilt(request: BaseHTTPRequestHandler) -> None:
        say(request, 400, {"error": {"type": "parse_exception", "reason": "cannot be read"}})

    with elastic(*[spoilt] * 4, 200) as server, sink(tmp_path, server.url) as out:
        out.write(conns(8))  # 8, 4, 2, 1: the first one is the culprit, then 1, 2 and 4 go through
        server.wait(7)
        wait_for(lambda: not out.waiting)
    assert out.lost == 1
    assert server.sizes == [1, 2, 4]


def test_a_server_that_hangs_up_on_a_large_request_gets_smaller_ones(tmp_path: Path) -> None:
    """As a proxy does whose limit is lower: without reading, or saying why."""

    def hangs_up(headers: dict[str, str]) -> bool:
        return int(headers["Content-Length"]) > 200_000

    with elastic(hangs_up=hangs_up) as server, sink(tmp_path, server.url, compress=False) as out:
        out.write(conns(2000))
        server.wait(2000)
    assert out.lost == 0
    assert len(server.sizes) > 5


def test_the_next_node_is_asked_where_one_is_away(tmp_path: Path) -> None:
    with elastic() as server, sink(tmp_path, GONE, urls=(GONE, server.url)) as out:
        out.write(conns(10))
        server.wait(10)
    assert out.lost == 0


def test_a_template_of_ours_is_renewed_and_one_of_others_left_alone(tmp_path: Path) -> None:
    theirs = {"index_patterns": ["tidegate-http"], "priority": 300}
    old = {"_meta": {"managed_by": "tidegate", "edition": "old"}}
    with elastic() as server:
        server.templates = {"tidegate-http": theirs, "tidegate-conn": old}
        with sink(tmp_path, server.url, tables=("conn", "http")) as out:
            out.write(conns(1))
            server.wait(1)
    assert server.templates["tidegate-http"] == theirs
    assert server.templates["tidegate-conn"]["data_stream"] == {}


def test_templates_are_left_to_the_administrator_if_asked(tmp_path: Path) -> None:
    with elastic() as server, sink(tmp_path, server.url, template=False) as out:
        out.write(conns(1))
        server.wait(1)
    assert server.asked == ["POST /_bulk"]


def test_a_full_queue_never_waits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with elastic() as server, sink(tmp_path, server.url, queue=100) as out:
        with out._spool._changed:  # the disk hangs
            for first in range(0, 2000, 50):
                out.write(conns(50, first))
            assert out._dropped >= 1800
        dropped = out._dropped
        server.wait(2000 - dropped)
    assert out.lost == dropped
    assert caplog.text.count("faster than they can be kept") == 1


def test_a_disk_that_takes_nothing_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tidegate.sinks.elastic.sink.AGAIN", 0.02)
    blocked = tmp_path / "spool" / "000000000001.bulk"
    with elastic() as server, sink(tmp_path, server.url) as out:
        blocked.mkdir()  # where the first file would be
        out.write(conns(5))
        wait_for(lambda: "the spool takes nothing: Is a directory" in out.trouble)
        blocked.rmdir()
        server.wait(5)
        wait_for(lambda: not out.trouble)
    assert out.lost == 0
    assert "the spool takes rows again" in caplog.text


def test_tls_and_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, cert = certificate(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    monkeypatch.setenv("ES_KEY", "id:key")
    good = "Basic YW5uOnMzY3JldA=="
    with elastic(tls=context, authorization=good) as server:
        trusted: dict[str, Any] = {"ca_file": str(cert), "user": "ann", "password_file": str(secret)}
        with sink(tmp_path, server.url, **trusted) as out:
            out.write(conns(5))
            server.wait(5)
        with sink(tmp_path / "b", server.url, user="ann", password_file=str(secret)) as out:
            out.write(conns(5))
            wait_for(lambda: "CERTIFICATE_VERIFY_FAILED" in out.trouble)
        with sink(tmp_path / "c", server.url, ca_file=str(cert), api_key="${ES_KEY}") as out:
            out.write(conns(5))
            wait_for(lambda: "the server answered 401: missing credentials" in out.trouble)
        server.authorization = "ApiKey aWQ6a2V5"
        with sink(tmp_path / "d", server.url, ca_file=str(cert), api_key="${ES_KEY}") as out:
            out.write(conns(3, first=5))
            server.wait(8)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"urls": ()}, "a URL at least is needed"),
        ({"urls": ("localhost:9200",)}, "its URL is none"),
        ({"urls": ("https://ann:x@es",)}, "a URL holds a password"),
        ({"urls": ("https://es/?a=b",)}, "its URL is none"),
        ({"user": "ann"}, "give user and password"),
        ({"user": "ann", "password": "hunter2"}, "a secret does not belong here"),
        ({"user": "ann", "password": "${NOT_THERE_AT_ALL}"}, "no variable NOT_THERE_AT_ALL"),
        ({"urls": ("http://es.example.org",), "api_key": "${HOME}"}, "by https only"),
        ({"urls": ("https://es",), "ca_file": "/nowhere.pem"}, "/nowhere.pem: No such file"),
        ({"api_key_file": "/nowhere"}, "/nowhere: No such file"),
    ],
)
def test_settings_that_cannot_be(others: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="^elastic one: ") as raised:
        ElasticSink(settings(**({"url": "https://127.0.0.1"} | others)), tmp_path)
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("abc\n")
    secret.chmod(0o644)
    with pytest.raises(TidegateError, match="others can read .* chmod 600"):
        ElasticSink(settings("https://127.0.0.1", api_key_file=str(secret)), tmp_path)


def test_a_spool_has_one_user(tmp_path: Path) -> None:
    with sink(tmp_path, GONE), pytest.raises(TidegateError, match="another process uses this spool"):
        ElasticSink(replace(settings(GONE), name="two"), tmp_path / "spool")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Attempts follow each other faster than for a person."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("tidegate.sinks.backlog.FIRST", 0.02)
    monkeypatch.setattr("tidegate.sinks.backlog.LONGEST", 0.2)


def test_a_batch_may_be_larger_than_the_spool(tmp_path: Path) -> None:
    with sink(tmp_path, GONE, spool_size=1 << 20) as out:
        out.write(conns(5000))
        wait_for(lambda: not out._queue and out.lost > 3000)
        out.close()
        assert (1 << 19) < out.waiting <= 1 << 20
    with elastic() as server, sink(tmp_path, server.url) as again:
        server.wait(5000 - out.lost)
        wait_for(lambda: not again.waiting)


def test_what_the_disk_never_took_is_counted_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.sinks.elastic.sink.AGAIN", 0.02)
    with sink(tmp_path, GONE) as out:
        (tmp_path / "spool" / "000000000001.bulk").mkdir()
        out.write(conns(1000))
        out.write(conns(500, first=1000))
        wait_for(lambda: "the spool takes nothing" in out.trouble)
    assert out.lost == 1500

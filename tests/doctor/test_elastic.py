"""What the doctor says of servers of Elasticsearch and OpenSearch."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from elastic_server import elastic
from tidegate.doctor.elastic import check_elastic
from tidegate.doctor.finding import Finding
from tidegate.model.config import Config, ElasticSettings


def findings(*urls: str, **others: Any) -> list[Finding]:
    return list(check_elastic(Config(elastic=(ElasticSettings(name="one", urls=urls, **others),))))


def test_nodes_that_answer_and_one_that_is_away() -> None:
    with elastic() as server:
        here, away = findings(server.url, "http://127.0.0.1:1")
    assert here.verdict == "ok"
    assert here.text.endswith("OpenSearch 2.19.1")
    assert away.verdict == "broken"
    assert "127.0.0.1:1: Connection refused" in away.text


def test_secrets_that_are_refused_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ES_KEY", "abc")
    with elastic(authorization="ApiKey other") as server:
        (found,) = findings(server.url, api_key="${ES_KEY}")
    assert "the server answered 401: missing credentials" in found.text
    (found,) = findings("http://127.0.0.1:1", api_key_file=str(tmp_path / "nothing"))
    assert found.verdict == "broken"
    assert "No such file" in found.text


@pytest.mark.parametrize("answer", [b"[]", b'{"version":7}', b'{"version":{}}', b"<html>"])
def test_another_server_is_told_apart(answer: bytes) -> None:
    def other(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    with elastic() as server:
        server.root = other
        (found,) = findings(server.url)
    assert found.verdict == "broken"

"""What is relayed and captured by the same `tidegate run` counts once; what is only captured stays."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from doors import LOCAL

from helpers import TIDEGATE, Run, receive, wait_for
from nets import Net
from streets import inside
from tidegate.app.relay_reach import RelayReach

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="capturing, and namespaces, need root")

BACKEND, DOOR = 8081, 8080
REQUEST = b"GET /page HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\r\n"
SETTINGS = f"""
store: {{path: s}}
watch: {{interfaces: lo, engine: {{interim: 500ms}}}}
programs: {{method: none}}
relay:
  services:
    - {{name: front, listen: "{LOCAL}:{DOOR}", backend: "{LOCAL}:{BACKEND}", deny: 127.0.0.9}}
"""


class Page(BaseHTTPRequestHandler):
    """Answers each request with the same body."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def net() -> Iterator[None]:
    with Net() as made, inside(made), ThreadingHTTPServer((LOCAL, BACKEND), Page) as server:
        thread = threading.Thread(target=server.serve_forever, name="page")
        thread.start()
        yield
        server.shutdown()
        thread.join()


def fetch(port: int, source: str = "127.0.0.2") -> bytes:
    with socket.create_connection((LOCAL, port), source_address=(source, 0)) as client:
        client.sendall(REQUEST)
        try:
            return receive(client)
        except ConnectionError:
            return b""


def test_a_relayed_connection_that_is_captured_counts_once(
    environment: dict[str, str], tmp_path: Path, net: None, run: Run
) -> None:
    (tmp_path / "t.yml").write_text(SETTINGS)

    def control(*words: str) -> dict[str, Any]:
        done = run(*words, "--config", "t.yml", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def ask(*words: str) -> list[dict[str, Any]]:
        done = run("query", "--store", tmp_path / "s", *words, "--format", "jsonl")
        return [json.loads(line) for line in done.stdout.splitlines()]

    words = [*TIDEGATE, "run", "--config", "t.yml"]
    with (tmp_path / "told").open("w") as told:
        process = subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=told)
    try:
        wait_for(lambda: control("control").get("capturing") and control("control").get("relay"))
        assert [len(fetch(DOOR)) > 1000 for _ in range(5)] == [True] * 5
        with socket.create_connection((LOCAL, DOOR), source_address=("127.0.0.3", 0)) as slow:
            assert fetch(DOOR, "127.0.0.9") == b""
            reach = RelayReach([tmp_path / "s" / name for name in ("relay.sock", "control.sock")])
            wait_for(lambda: len(reach.look(True)["connections"]) == 1)
            (front,) = reach.look(False)["services"]
            assert (front["name"], front["total"], front["refused"]) == ("front", 6, {"denied": 1})
            wait_for(lambda: reach.look(False)["services"][0]["ended"] == {"fin": 5})
            assert len(fetch(BACKEND, "127.0.0.4")) > 1000
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: control("control").get("reloads") == 1)
            slow.sendall(REQUEST)
            assert len(receive(slow)) > 1000
        wait_for(lambda: len(ask("SELECT 1 FROM relay WHERE type = 'close'")) == 6)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()

    door = f"FROM conn WHERE dst_port = {DOOR}"
    assert ask(f"SELECT count(*) AS n {door} AND relay_service = 'front' AND src_ip <> '127.0.0.9'") == [
        {"n": 6}
    ]
    only_captured = ask(f"SELECT DISTINCT src_ip {door} AND relay_service IS NULL")
    assert only_captured == [{"src_ip": "127.0.0.9"}], (tmp_path / "told").read_text()
    to_backend = ask(f"SELECT count(*) AS n FROM conn WHERE dst_port = {BACKEND}")
    assert to_backend == [{"n": 7}]
    http = ask(
        "SELECT src_ip, dst_port, count(*) AS n FROM http WHERE status = 200 GROUP BY ALL ORDER BY ALL"
    )
    assert http == [
        {"src_ip": "127.0.0.2", "dst_port": DOOR, "n": 5},
        {"src_ip": "127.0.0.3", "dst_port": DOOR, "n": 1},
        {"src_ip": "127.0.0.4", "dst_port": BACKEND, "n": 1},
    ]
    joined = ask("SELECT count(*) AS n FROM http JOIN conn USING (uid) WHERE relay_service = 'front'")
    assert joined == [{"n": 6}]
    (client,) = (row for row in ask("--named", "talkers") if "127.0.0.2" in row.values())
    sent = 5 * len(REQUEST)
    assert (client["connections"], client["sent"]) == (5, sent)

"""A stand-in for Elasticsearch and OpenSearch: the documented requests that we use, over a real socket.

For what a real server does only in trouble: 429, 413, 400 for a row or for all, answers that are none.
"""

import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from helpers import wait_for

Answer = Callable[[BaseHTTPRequestHandler], None]
Object = dict[str, Any]


class Elastic:
    """Keeps documents by stream and id. `answers` go to the first bulk requests: a status, or anything."""

    def __init__(
        self,
        *answers: int | Answer,
        largest: int = 1 << 30,
        refuse: Callable[[Object], tuple[int, str] | None] = lambda source: None,
        authorization: str = "",
        hangs_up: Callable[[Any], bool] = lambda headers: False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        elastic = self
        self.answers = list(answers)
        self.largest = largest
        self.refuse = refuse
        self.authorization = authorization
        self.root: Answer = _version
        self.streams: dict[str, dict[str, Object]] = {}
        self.templates: dict[str, Object] = {}
        self.sizes: list[int] = []
        """Documents of each bulk request that was taken in."""
        self.asked: list[str] = []
        self.released = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                elastic._answer(self, b"")

            def do_POST(self) -> None:
                if hangs_up(self.headers):
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                zipped = self.headers.get("Content-Encoding") == "gzip"
                elastic._answer(self, gzip.decompress(body) if zipped else body)

            def do_PUT(self) -> None:
                self.do_POST()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    def count(self) -> int:
        """Documents in all streams."""
        return sum(map(len, self.streams.values()))

    def wait(self, count: int) -> None:
        """Until it has so many documents."""
        wait_for(lambda: self.count() >= count)
        assert self.count() == count

    def close(self) -> None:
        """Ends it."""
        self.released.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = request.path.partition("?")[0]
        self.asked.append(f"{request.command} {path}")
        if self.authorization and request.headers.get("Authorization") != self.authorization:
            return say(
                request, 401, {"error": {"type": "security_exception", "reason": "missing credentials"}}
            )
        if path == "/_bulk":
            return self._bulk(request, body)
        if path == "/":
            return self.root(request)
        if path.startswith("/_index_template/"):
            return self._template(request, path.rpartition("/")[2], body)
        if path.startswith("/_data_stream/"):
            return say(request, 200, {"data_streams": [{"indices": [{}]}]})
        return say(request, 404, {"error": f"no handler for {path}"})

    def _template(self, request: BaseHTTPRequestHandler, name: str, body: bytes) -> None:
        if request.command == "PUT":
            self.templates[name] = json.loads(body)
            return say(request, 200, {"acknowledged": True})
        if name not in self.templates:
            return say(request, 404, {"error": {"reason": f"index template matching [{name}] not found"}})
        found = [{"name": name, "index_template": self.templates[name]}]
        return say(request, 200, {"index_templates": found})

    def _bulk(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if self.answers:
            answer = self.answers.pop(0)
            if callable(answer):
                return answer(request)
            if answer != 200:
                return say(request, answer, {"error": {"type": "some_exception", "reason": f"said {answer}"}})
        if len(body) > self.largest:
            return say(request, 413, {})
        lines = body.split(b"\n")
        assert request.headers["Content-Type"] == "application/x-ndjson"
        assert lines.pop() == b"" and len(lines) % 2 == 0
        pairs = list(zip(map(json.loads, lines[::2]), map(json.loads, lines[1::2]), strict=True))
        self.sizes.append(len(pairs))
        items = [{"create": self._create(action["create"], source)} for action, source in pairs]
        return say(
            request, 200, {"errors": any(item["create"]["status"] > 299 for item in items), "items": items}
        )

    def _create(self, action: Object, source: Object) -> Object:
        if refused := self.refuse(source):
            return {"status": refused[0], "error": {"type": refused[1], "reason": f"because of {refused[1]}"}}
        there = self.streams.setdefault(action["_index"], {})
        if action["_id"] in there:
            return {
                "status": 409,
                "error": {"type": "version_conflict_engine_exception", "reason": "is there"},
            }
        there[action["_id"]] = source
        return {"status": 201}


def _version(request: BaseHTTPRequestHandler) -> None:
    say(request, 200, {"version": {"distribution": "opensearch", "number": "2.19.1"}})


def say(request: BaseHTTPRequestHandler, status: int, answer: object) -> None:
    """Answers with JSON."""
    body = json.dumps(answer).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def elastic(*answers: int | Answer, **options: Any) -> Iterator[Elastic]:
    """A server until the end of the block."""
    made = Elastic(*answers, **options)
    try:
        yield made
    finally:
        made.close()

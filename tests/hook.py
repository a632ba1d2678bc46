"""A real HTTP server on loopback that takes webhooks, or does not."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


class Hook:
    """A server that keeps what it was sent. It gives one answer after the other, then the last again."""

    def __init__(self, *answers: int | Answer, tls: ssl.SSLContext | None = None) -> None:
        hook = self
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.asked = 0
        self.released = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = answers[min(hook.asked, len(answers) - 1)]
                hook.asked += 1
                if callable(answer):
                    answer(self)
                    return
                if answer == 200:
                    hook.bodies.append(json.loads(body))
                    hook.headers.append(dict(self.headers))
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}/hook?a=1"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@contextmanager
def hooked(*answers: int | Answer, **options: Any) -> Iterator[Hook]:
    hook = Hook(*answers, **options)
    try:
        yield hook
    finally:
        hook.close()

"""Bounded HTTP traffic for `make demo`: calm, then a rush that raises the alert, then calm again."""

import argparse
import contextlib
import http.client
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PHASES = ((8.0, 4.0), (15.0, 80.0), (60.0, 3.0))
"""Seconds, and requests in each of them."""

HOSTS = ("shop.example.org", "www.example.org", "api.example.org")
PATHS = (
    "/",
    "/api/orders/7",
    "/api/login",
    "/static/style.css",
    "/static/logo.png",
    "/cart",
    "/missing",
    "/broken",
)
METHODS = ("GET", "GET", "GET", "POST", "HEAD", "PUT")


class Handler(BaseHTTPRequestHandler):
    """Answers with a status that the path decides."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Any method."""
        status = {"/missing": 404, "/broken": 500, "/cart": 302}.get(self.path, 200)
        body = b"" if self.command == "HEAD" else b"x" * random.randrange(200, 3000)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_HEAD = do_PUT = answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """The demo's own output is the screen's."""


def serve(address: str) -> None:
    """Serves until stdin ends."""
    server = ThreadingHTTPServer((address, 80), Handler)
    thread = threading.Thread(target=server.serve_forever, name="server")
    thread.start()
    sys.stdin.read()
    server.shutdown()
    thread.join()


def ask(address: str, seconds: float) -> None:
    """Asks for pages at the phases' rates, for so long at most."""
    ends = time.monotonic() + seconds
    for length, rate in PHASES:
        until = min(time.monotonic() + length, ends)
        while time.monotonic() < until:
            try:
                browse(address, rate)
            except OSError:  # the server is not there yet
                time.sleep(0.2)


def browse(address: str, rate: float) -> None:
    """A few pages over one connection."""
    with contextlib.closing(http.client.HTTPConnection(address, timeout=5)) as connection:
        for _ in range(random.randrange(1, 8)):
            method = random.choice(METHODS)
            body = b"y" * 500 if method in ("POST", "PUT") else None
            connection.request(method, random.choice(PATHS), body, {"Host": random.choice(HOSTS)})
            connection.getresponse().read()
            time.sleep(1 / rate)


def main() -> None:
    """Serves or asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("serve", "ask"))
    parser.add_argument("address")
    parser.add_argument("--seconds", type=float, default=60, help="ask for so long at most")
    args = parser.parse_args()
    if args.what == "serve":
        serve(args.address)
    else:
        ask(args.address, args.seconds)


if __name__ == "__main__":
    main()

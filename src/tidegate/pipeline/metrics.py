"""Figures for Prometheus at an address of this machine."""

import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.registry import CollectorRegistry

from tidegate.model.errors import SettingError, keyed
from tidegate.model.units import parse_loopback
from tidegate.pipeline.figures import Figures, Status

MOST = 32
"""Callers at once; a further one takes the place of the one that came first."""


class MetricsServer:
    """Answers GET /metrics on its own thread, tidegate-metrics, from start() to close()."""

    def __init__(self, address: str, status: Status) -> None:
        """Binds "127.0.0.1:9700"; raises SettingError where that is no address, or taken."""
        with keyed("service", "metrics"):
            place = parse_loopback(address)
        registry = CollectorRegistry()
        registry.register(Figures(status))
        try:
            self._server = _Server(place, registry)
        except OSError as error:
            why = error.strerror or str(error)
            raise SettingError(f"{address}: {why}", "service", "metrics", of="service.metrics") from None
        self._thread = Thread(target=self._server.serve_forever, name="tidegate-metrics")

    @property
    def port(self) -> int:
        """The port it answers at."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread and lets go of the port."""
        if self._thread.ident:
            self._server.shutdown()
            self._thread.join()
        self._server.cut_off()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Keeps the registry for its handlers, and their callers, so that none is waited for."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry) -> None:
        self.registry = registry
        self._callers: dict[socket.socket, None] = {}
        self._lock = Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begins to answer a caller; who came first goes where there are too many."""
        with self._lock:
            first = next(iter(self._callers)) if len(self._callers) >= MOST else None
            self._callers[request] = None
            if first is not None:
                self._cut(first)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Ends a caller's connection."""
        with self._lock:
            self._callers.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away is nobody's news."""

    def cut_off(self) -> None:
        """Ends all connections, so that whoever answers them ends."""
        with self._lock:
            for caller in list(self._callers):
                self._cut(caller)

    def _cut(self, caller: socket.socket) -> None:
        self._callers.pop(caller, None)
        with suppress(OSError):
            caller.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """GET /metrics, and nothing else."""

    timeout = 5.0
    server: _Server

    def do_GET(self) -> None:
        """The figures, in the text format."""
        from prometheus_client import generate_latest

        if self.path.split("?")[0] != "/metrics":
            self.send_error(404)
            return
        body = generate_latest(self.server.registry)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Who asks is nobody's news."""

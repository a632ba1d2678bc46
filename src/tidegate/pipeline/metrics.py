"""Figures for Prometheus at an address of this machine. The one door to prometheus-client.

No address, name or URL is ever a label: strangers would decide how many series there are, and who may
read the figures would learn who talks to whom.
"""

from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from tidegate.model.errors import UsageError
from tidegate.model.units import parse_loopback

Status = Callable[[], Mapping[str, Any]]


class MetricsServer:
    """Answers GET /metrics on its own thread, tidegate-metrics, from start() to close()."""

    def __init__(self, address: str, status: Status) -> None:
        """Binds "127.0.0.1:9700"; raises UsageError where that is no address, or taken."""
        place = parse_loopback(address)
        registry = CollectorRegistry()
        registry.register(Figures(status))
        try:
            self._server = _Server(place, registry)
        except OSError as error:
            raise UsageError(f"service.metrics: {address}: {error.strerror or error}") from None
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
        self._server.server_close()


class Figures:
    """What `status` says, as metrics."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        status = self._status()
        yield GaugeMetricFamily("tidegate_up", "1 while packets are captured", float(status["capturing"]))
        yield GaugeMetricFamily("tidegate_uptime_seconds", "Seconds since the start", status["uptime"])
        for name, words in (("packets", "Packets seen"), ("bytes", "Bytes seen, as on the wire")):
            yield CounterMetricFamily(f"tidegate_{name}", words, status.get(name, 0))
        yield CounterMetricFamily("tidegate_connections", "Connections seen", status.get("connections", 0))
        yield GaugeMetricFamily("tidegate_connections_open", "Connections open now", status.get("flows", 0))
        dropped = CounterMetricFamily("tidegate_dropped", "What was lost, by place", labels=["place"])
        for place, count in status.get("dropped", {}).items():
            dropped.add_metric([place.removeprefix("by ").removeprefix("the ").removeprefix("a ")], count)
        yield dropped
        yield GaugeMetricFamily(
            "tidegate_alerts_open", "Alerts that are not over", status.get("alerts_open", 0)
        )
        yield from _of_parts(status.get("parts", []))


def _of_parts(parts: list[Mapping[str, Any]]) -> Iterator[Metric]:
    working = GaugeMetricFamily("tidegate_part_up", "1 while the part works", labels=["part"])
    failures = CounterMetricFamily("tidegate_part_failures", "Times the part failed", labels=["part"])
    lost = CounterMetricFamily("tidegate_part_lost_rows", "Rows the part could not take", labels=["part"])
    words = "What waits for the part: bytes of a log, records of the logger"
    waiting = GaugeMetricFamily("tidegate_part_waiting", words, labels=["part"])
    for part in parts:
        working.add_metric([part["name"]], float(not part.get("error")))
        failures.add_metric([part["name"]], part.get("failures", 0))
        lost.add_metric([part["name"]], part.get("lost", 0))
        waiting.add_metric([part["name"]], part.get("waiting", 0))
    yield from (working, failures, lost, waiting)


class _Server(ThreadingHTTPServer):
    """Keeps the registry for its handlers; a request may take five seconds."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry) -> None:
        self.registry = registry
        if ":" in address[0]:
            import socket

            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)


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

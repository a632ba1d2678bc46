"""Real ends for the relay in tests: backends that answer, clients, and a relay whose rows are gathered."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from helpers import receive
from tidegate.model.batch import Batch
from tidegate.model.config import RelayServiceSettings, RelaySettings
from tidegate.relay.service import Machine, Relay

LOCAL = "127.0.0.1"


@contextmanager
def answering(name: bytes = b"", port: int = 0) -> Iterator[int]:
    """A backend that says its name and echoes, until the block ends; its port."""
    listener = socket.create_server((LOCAL, port))
    threads: list[threading.Thread] = []
    open_: list[socket.socket] = []

    def serve(connected: socket.socket) -> None:
        with connected, suppress(OSError):
            connected.sendall(name)
            while data := connected.recv(65536):
                connected.sendall(data)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connected = listener.accept()[0]
                open_.append(connected)
                threads.append(threading.Thread(target=serve, args=(connected,), name="backend"))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, name="backend-acceptor")
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for each in open_:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


@dataclass
class Carried:
    """A relay that is polled by a thread of its own, and the rows it gave."""

    relay: Relay
    rows: list[dict[str, Any]] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)

    def take(self, batches: list[Batch]) -> None:
        for batch in batches:
            self.tables.add(batch.table)
            if batch.table == "relay":
                names = ["type", "service", "client_ip", "backend", "cause", "payload", "text", "remote_port"]
                self.rows += [
                    dict(zip(names, values, strict=True))
                    for values in zip(*batch.columns(names), strict=True)
                ]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in list(self.rows) if row["type"] == kind]


@contextmanager
def carrying(settings: RelaySettings, machine: Machine | None = None) -> Iterator[Carried]:
    """A relay that runs until the block ends."""
    carried = Carried(Relay(settings, machine or Machine()))

    def poll() -> None:
        while (batches := carried.relay.poll(0.05)) is not None:
            carried.take(batches)

    thread = threading.Thread(target=poll, name="poller")
    thread.start()
    try:
        yield carried
    finally:
        carried.relay.abort()
        thread.join()


def one(port: int, backend: object, **more: Any) -> RelaySettings:
    """A relay of one service."""
    service = RelayServiceSettings(
        name="front", listen=(f"{LOCAL}:{port}",), backend=f"{LOCAL}:{backend}", **more
    )
    return RelaySettings((service,))


def call(port: int, source: str = LOCAL) -> socket.socket:
    """A client."""
    return socket.create_connection((LOCAL, port), 10, source_address=(source, 0))


def said(port: int, text: bytes = b"hello", source: str = LOCAL) -> bytes:
    """What comes back for this, until the other side ends; nothing where it is not let in."""
    with call(port, source) as client:
        try:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            return receive(client)
        except OSError:
            return b""

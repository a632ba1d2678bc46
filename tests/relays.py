"""A relay by plan, real servers for it to stand before, and what it told."""

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from helpers import free_port, wait_for
from tidegate import _core
from tidegate.relay.plan import Address, Backend, Door, Plan, Service

COLUMNS = {info.name: [column.name for column in info.columns] for info in _core.tables()}
LOCAL = "127.0.0.1"


def service(listen: int, backend: int, name: str = "test", **options: Any) -> Service:
    """One port before another."""
    return Service(
        name=name,
        doors=(Door(LOCAL, ((listen, listen),)),),
        backends=(Backend("backend", ((Address(LOCAL, backend), 1),)),),
        **{"default": "backend"} | options,
    )


class Running:
    """A relay whose rows are taken as they come."""

    def __init__(self, plan: Plan) -> None:
        self.relay = _core.Relay(plan)
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self._taker = threading.Thread(target=self._take, name="test-taker")

    def __enter__(self) -> Self:
        self._taker.start()
        wait_for(lambda: self.events("notice"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.relay.stop()
        self._taker.join(30)
        assert not self._taker.is_alive(), "it does not stop"

    def _take(self) -> None:
        while (batches := self.relay.poll(0.2)) is not None:
            for batch in batches:
                names = COLUMNS[batch.table]
                values = zip(*batch.columns(names), strict=True)
                self.rows.setdefault(batch.table, []).extend(
                    dict(zip(names, row, strict=True)) for row in values
                )

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of a table so far."""
        return list(self.rows.get(name, ()))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Events of a kind so far."""
        return [row for row in self.table("relay") if row["type"] == kind]

    def causes(self, count: int, kind: str = "close") -> list[str]:
        """Why connections ended, in their order, once there are so many."""
        wait_for(lambda: len(self.events(kind)) >= count)
        return [row["cause"] for row in sorted(self.events(kind), key=lambda row: row["connection_id"])]


Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(serve: Serve, backlog: int = 1024, host: str = LOCAL) -> Iterator[int]:
    """A server of our own: `serve` has each connection in a thread, and closes it or not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=backlog)
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=one, args=(connection,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # Closing alone does not wake who waits in accept(2).
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(10)
        for thread in threads:
            thread.join(10)


@contextlib.contextmanager
def flooding() -> Iterator[tuple[int, threading.Event]]:
    """A server that sends for ever, or until the event."""
    stop = threading.Event()

    def flood(connection: socket.socket) -> None:
        connection.settimeout(0.5)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection.send(b"y" * 65536)

    with server(flood) as backend:
        try:
            yield backend, stop
        finally:
            stop.set()


def program(name: str) -> str:
    """Where a program is; the test is skipped where it is not."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@contextlib.contextmanager
def started(port: int, *command: str) -> Iterator[None]:
    """A program that listens on a port, once it does."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: reachable(port))
        yield
    finally:
        process.terminate()
        process.wait(10)


def reachable(port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection((LOCAL, port), 1):
        return True
    return False


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """nginx that says hello to each request, and closes."""
    port = free_port()
    (folder / "nginx.conf").write_text(
        f"""
        daemon off; pid {folder}/pid; error_log {folder}/error; worker_processes 1;
        events {{ worker_connections 8192; }}
        http {{
            access_log off; keepalive_timeout 0;
            client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
            uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
            server {{ listen {LOCAL}:{port} backlog=4096; location / {{ return 200 "hello\\n"; }} }}
        }}""",
        encoding="utf-8",
    )
    with started(port, program("nginx"), "-c", str(folder / "nginx.conf"), "-p", str(folder)):
        yield port

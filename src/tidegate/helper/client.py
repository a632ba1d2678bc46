"""The worker's end: asks the helper, and knows when it is gone."""

import json
import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from tidegate.helper import messages
from tidegate.helper.records import Receiver, Record
from tidegate.helper.steering import Steered, SteeringRefused
from tidegate.model.errors import TidegateError

_PATIENCE = 5.0
_STEERING_PATIENCE = 30.0
"""A machine with large tables of nftables is slow to change them."""
_FAREWELL = 3.0


class HelperError(TidegateError):
    """The helper is gone, or could not do what it was asked."""


GONE = (
    "the privileged helper has ended: interfaces that come now are not watched, programs of new connections "
    "not named; start anew"
)


class Helper:
    """A running helper. Questions may come from any thread."""

    def __init__(self, pid: int, questions: socket.socket, packets: socket.socket, events: socket.socket):
        self.pid = pid
        self._questions = questions
        self._packets = packets
        self._events = events
        self._lock = threading.Lock()
        self._ended = False

    @property
    def packet_fd(self) -> int:
        """The connection over which the core asks for packet sockets."""
        return self._packets.fileno()

    def bind(self, protocol: str, address: str, port: int) -> socket.socket:
        """A socket bound to a port below 1024; raises OSError, or HelperError if the helper is gone."""
        question = {"ask": "bind", "protocol": protocol, "address": address, "port": port}
        fields, descriptors = self._ask(question)
        if "errno" in fields or not descriptors:
            raise OSError(fields.get("errno", 5), str(fields.get("error")), f"{address} port {port}")
        return socket.socket(fileno=descriptors[0])

    def steer(self, asked: messages.Steer) -> Steered:
        """As Steerings.steer, in the helper; raises SteeringRefused, or HelperError if the helper is gone."""
        question = {"ask": "steer", "by": asked.by, "address": asked.address, "ports": asked.ports,
                    "spared": asked.spared, "sockets": asked.sockets}  # fmt: skip
        fields, descriptors = self._ask(question, _STEERING_PATIENCE)
        sockets = tuple(socket.socket(fileno=descriptor) for descriptor in descriptors)
        if "errno" in fields or not sockets:
            raise SteeringRefused(str(fields.get("error")))
        return Steered(int(fields["steering"]), sockets)

    def alter(self, asked: messages.Alter) -> None:
        """As Steerings.alter, in the helper; raises as `steer`."""
        fields, _ = self._ask(
            {"ask": "alter", "steering": asked.steering, "ports": asked.ports, "spared": asked.spared},
            _STEERING_PATIENCE,
        )
        if "errno" in fields:
            raise SteeringRefused(str(fields.get("error")))

    def release(self, steering: int) -> None:
        """Ends a steering; that of a helper that is gone has ended already."""
        with suppress(HelperError):
            self._ask({"ask": "release", "steering": steering}, _STEERING_PATIENCE)

    def records(self) -> Receiver:
        """Records of processes from now on, once; raises HelperError where there are none."""
        fields, _ = self._ask({"ask": "records"})
        if "errno" in fields:
            raise HelperError(f"no records of processes: {fields.get('error')}")
        return Receiver(self._events, str(fields["method"]), self)

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None, remote_port: int
    ) -> list[Record]:
        """Records of who holds this socket, or listens for it; none once the helper is gone."""
        question = {"ask": "lookup", "proto": proto, "local_ip": local_ip, "local_port": local_port,
                    "remote_ip": remote_ip, "remote_port": remote_port}  # fmt: skip
        return [tuple(record) for record in self._asked(question).get("records", [])]

    def state(self) -> dict[str, Any]:
        """How it goes with the records; nothing once the helper is gone."""
        return self._asked({"ask": "state"})

    def is_alive(self) -> bool:
        """Whether it still runs."""
        if not self._ended:
            try:
                self._ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:
                self._ended = True
        return not self._ended

    def warnings(self) -> list[str]:
        """What the user should know of it."""
        return [] if self.is_alive() else [GONE]

    def close(self) -> None:
        """Ends it: it cleans up when the connection closes. Waits for that, but not for long."""
        for connection in (self._packets, self._events, self._questions):
            connection.close()
        deadline = time.monotonic() + _FAREWELL
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._ask(question)[0]
        except HelperError:
            return {}

    def _ask(self, question: dict[str, Any], patience: float = _PATIENCE) -> tuple[dict[str, Any], list[int]]:
        with self._lock:
            try:
                self._questions.settimeout(patience)
                self._questions.send(messages.encode(question))
                answer, descriptors, _, _ = socket.recv_fds(
                    self._questions, messages.ANSWER, messages.MAX_SOCKETS
                )
            except OSError:
                # The answer to this question must not be taken for that to the next.
                self._questions.close()
                raise HelperError(GONE) from None
        if not answer:
            raise HelperError(GONE)
        return json.loads(answer), descriptors

"""The helper's answers: each question's work, and nothing beside."""

import errno
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.helper.messages import (
    Alter,
    Bind,
    Lookup,
    PacketSocket,
    Question,
    Records,
    Release,
    State,
    Steer,
)
from tidegate.helper.own import bound
from tidegate.helper.records import Record, RecordSource, Sender
from tidegate.helper.steering import Steerings
from tidegate.model.errors import TidegateError

MAX_HOLDERS = 8
"""Records that answer one look-up: a program and its socket, or a few that share it."""


@dataclass
class Answer:
    """Fields to send, with the sockets to hand over if there are any."""

    fields: dict[str, Any]
    handed: Sequence[socket.socket] = ()


class Answers:
    """Answers questions, one after the other."""

    def __init__(
        self, records: Callable[[], RecordSource] | None, events: socket.socket, steers: bool = False
    ) -> None:
        self._open_records = records
        self._events = events
        self._steerings = Steerings() if steers else None
        self._sender: Sender | None = None

    def answer(self, question: Question) -> Answer:
        """Never raises for what the system or the worker did."""
        try:
            return self._answer(question)
        except OSError as error:
            text = error.strerror or str(error)
            return Answer({"errno": error.errno or errno.EIO, "error": text})
        except TidegateError as error:
            return Answer({"errno": errno.ENOTSUP, "error": str(error)[:500]})

    def close(self) -> None:
        """Ends the records, and what is steered."""
        if self._steerings:
            self._steerings.close()
        if self._sender:
            self._sender.close()

    def _answer(self, question: Question) -> Answer:
        match question:
            case PacketSocket(kind):
                return Answer({"ok": True}, [_packet_socket(kind)])
            case Bind(protocol, address, port):
                return Answer({"ok": True}, [bound(protocol, address, port)])
            case Records():
                return Answer({"ok": True, "method": self._records()})
            case Lookup():
                return Answer({"ok": True, "records": self._lookup(question)})
            case State():
                source = self._started().source
                return Answer({"ok": True, "refused": list(source.refused), "stats": dict(source.stats)})
            case Steer():
                steered = self._steers().steer(question)
                return Answer({"ok": True, "steering": steered.number}, steered.sockets)
            case Alter():
                self._steers().alter(question)
                return Answer({"ok": True})
            case Release(steering):
                self._steers().release(steering)
                return Answer({"ok": True})

    def _steers(self) -> Steerings:
        if self._steerings is None:
            raise OSError(errno.EPERM, "this one steers nothing: it was not started for a relay")
        return self._steerings

    def _records(self) -> str:
        if self._open_records is None:
            raise OSError(errno.ENOTSUP, "no records of processes here")
        if self._sender:
            raise OSError(errno.EALREADY, os.strerror(errno.EALREADY))
        self._sender = Sender(self._open_records(), self._events)
        return self._sender.method

    def _lookup(self, asked: Lookup) -> list[Record]:
        source = self._started().source
        holders = list(
            source.lookup(asked.proto, asked.local_ip, asked.local_port, asked.remote_ip, asked.remote_port)
        )
        # Of too many none: the ones left out might be of another program.
        return holders if len(holders) <= MAX_HOLDERS else []

    def _started(self) -> Sender:
        if self._sender is None:
            raise OSError(errno.ENOTCONN, "ask for records first")
        return self._sender


def _packet_socket(kind: str) -> socket.socket:
    """Takes nothing before it is bound: protocol 0."""
    form = socket.SOCK_RAW if kind == "raw" else socket.SOCK_DGRAM
    return socket.socket(socket.AF_PACKET, form, 0)

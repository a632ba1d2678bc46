"""Two machines and the cable between them: this process goes to one, and connects from the other."""

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from nets import Net

CLONE_NEWNET = 0x40000000
PATIENCE = 10.0

HERE = {4: "10.77.0.1", 6: "fd77::1"}
"""Addresses of the machine that this process goes to; it has 10.77.0.11 and fd77::11 as well."""
THERE = {4: "10.77.0.2", 6: "fd77::2"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
ANY = {4: "0.0.0.0", 6: "::"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Street:
    """Use it in a `with`: inside, this process is on its own machine."""

    def __enter__(self) -> Self:
        self.here, self.there = Net().__enter__(), Net().__enter__()
        self.here.ip(f"link add street type veth peer name street netns {self.there.name}")
        for net, ends in ((self.here, HERE), (self.there, THERE)):
            net.ip(f"addr add {ends[4]}/24 dev street")
            net.ip(f"addr add {ends[6]}/64 dev street nodad")
            net.ip("link set street up")
        self.here.ip("addr add 10.77.0.11/24 dev street")
        self.here.ip("addr add fd77::11/64 dev street nodad")
        self._at = inside(self.here)
        self._at.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._at.__exit__(None, None, None)
        self.there.__exit__()
        self.here.__exit__()

    def connect(self, ip: str, port: int, far: bool = True) -> socket.socket:
        """A connection from the other machine, or from this one; raises OSError."""
        made = self._socket(ip, far)
        made.settimeout(PATIENCE)
        try:
            made.connect((ip, port))
        except OSError:
            made.close()
            raise
        return made

    def is_refused(self, ip: str, port: int, far: bool = True) -> bool:
        """Whether a connection is refused; any other failure fails the test."""
        try:
            self.connect(ip, port, far).close()
        except ConnectionRefusedError:
            return True
        return False

    def listen(self, ip: str, port: int, far: bool = False) -> socket.socket:
        """A listener on this machine, or on the other one."""
        made = self._socket(ip, far)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ip, port))
        made.listen()
        made.settimeout(PATIENCE)
        return made

    def _socket(self, ip: str, far: bool) -> socket.socket:
        """A socket stays where it was made."""
        family = FAMILY[6 if ":" in ip else 4]
        if not far:
            return socket.socket(family)
        with inside(self.there):
            return socket.socket(family)


@contextmanager
def inside(net: Net) -> Iterator[None]:
    """This thread is in that namespace."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(f"/run/netns/{net.name}")
        try:
            yield
        finally:
            _enter(f"/proc/self/fd/{before}")
    finally:
        os.close(before)


def _enter(path: str) -> None:
    namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)

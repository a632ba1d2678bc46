"""What the machine says of itself, beside what is known to be so."""

import socket

from tidegate.relay import machine


def test_who_listens_is_known() -> None:
    four = socket.create_server(("127.0.0.1", 0))
    six = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with four, six, socket.create_connection(four.getsockname()) as client:
        found = machine.listening()
        assert ("127.0.0.1", four.getsockname()[1]) in found
        assert ("::1", six.getsockname()[1]) in found
        assert client.getsockname()[:2] not in found


def test_own_addresses_are_known() -> None:
    assert machine.is_local("127.0.0.1")
    assert machine.is_local("::1")
    assert not machine.is_local("192.0.2.77")
    assert not machine.is_local("2001:db8::77")


def test_limits_are_numbers() -> None:
    assert 0 <= machine.low_ports() <= 65_536
    assert machine.open_files() > 100

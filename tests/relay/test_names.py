"""Names of backends: the hosts file, a real name server, what stays when nobody answers."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import wait_for
from tidegate.model.errors import UsageError
from tidegate.relay.names import Names, look_up


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name server that knows one name; the resolver asks it."""
    import dns.resolver

    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while True:
            wire, peer = listener.recvfrom(4096)
            if over.is_set():
                return
            query = dns.message.from_wire(wire)
            reply = dns.message.make_response(query)
            question = query.question[0]
            if question.name.to_text() == "web.example." and question.rdtype == 1:
                reply.answer.append(
                    dns.rrset.from_text("web.example.", 60, "IN", "A", "192.0.2.2", "192.0.2.1")
                )
            elif question.name.to_text() != "web.example.":
                reply.set_rcode(3)
            listener.sendto(reply.to_wire(), peer)

    asked = dns.resolver.Resolver(configure=False)
    asked.nameservers, asked.port = ["127.0.0.1"], listener.getsockname()[1]
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: asked)
    thread = threading.Thread(target=serve, name="server")
    thread.start()
    yield "web.example"
    over.set()
    listener.sendto(b"", listener.getsockname())
    thread.join()
    listener.close()


def test_the_hosts_file_counts_first(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n192.0.2.9 A b # c\n2001:db8::1 a\nbroken a\n")
    assert look_up("a.", hosts=hosts) == ("192.0.2.9", "2001:db8::1")
    assert look_up("localhost", hosts=tmp_path / "none") == ("127.0.0.1",)


def test_a_name_server_is_asked(server: str, tmp_path: Path) -> None:
    assert look_up(server, hosts=tmp_path / "none") == ("192.0.2.1", "192.0.2.2")
    assert look_up("other.example", hosts=tmp_path / "none") == ()


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(UsageError, match='there is no host "x"'):
        Names(["x"], 60, lambda name: ())


def test_a_server_that_does_not_answer_is_told() -> None:
    def silent(name: str) -> tuple[str, ...]:
        raise OSError("timed out")

    with pytest.raises(UsageError, match="timed out"):
        Names(["x"], 60, silent)


def test_another_answer_is_told_of_and_none_changes_nothing() -> None:
    answers = [("192.0.2.1",), ("192.0.2.1",), (), ("192.0.2.2",)]
    asked = []

    def ask(name: str) -> tuple[str, ...]:
        asked.append(name)
        if len(asked) == 3:
            raise OSError("timed out")
        return answers[min(len(asked) - 1, 3)]

    names = Names(["x"], 0.01, ask)
    try:
        wait_for(names.changed.is_set)
        assert names.addresses() == {"x": ("192.0.2.2",)}
        assert len(asked) >= 4
    finally:
        names.close()


def test_without_names_there_is_no_thread() -> None:
    names = Names([], 0.01)
    names.close()
    assert names.addresses() == {}

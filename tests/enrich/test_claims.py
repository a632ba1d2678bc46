"""Tables of claims stay bounded, whatever is told."""

from enrich.told import HERE, NOW, socket
from tidegate.enrich import claims as module
from tidegate.enrich.claims import Claims, End
from tidegate.enrich.records import parse_socket


def test_connections_beyond_the_bound_push_out_the_oldest(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 10)
    claims = Claims("bpf")
    for port in range(1, 21):
        claims.add(parse_socket(socket("connect", port, local_port=port)))
    assert claims.evicted == 10
    assert not claims.find(end(1))
    assert [claim.program for claim in claims.find(end(20))] == [20]


def test_one_port_keeps_its_latest_claims() -> None:
    claims = Claims("bpf")
    for number in range(1, 1000):
        claims.add(parse_socket(socket("connect", number, ts=NOW + number)))
    assert len(claims._pairs[("tcp", 40000, "192.0.2.7", 443)]) == module.MAX_PER_KEY


def test_two_programs_at_the_same_moment_are_both_given() -> None:
    claims = Claims("bpf")
    for number in (1, 2):
        claims.add(parse_socket(socket("connect", number)))
    assert [claim.program for claim in claims.find(end(40000))] == [1, 2]


def end(port: int) -> End:
    return End("tcp", HERE, port, "192.0.2.7", 443, NOW, NOW, called=False, local=True)

"""The relay of `run`: begun when wanted, started again when it fails, drained at the end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doors import answering, call, carrying, one, said

import mmdb
from helpers import free_port, wait_for
from tidegate.app.relay_part import RelayPart, machine
from tidegate.model.config import Config, PlaceSettings, RelaySettings, RouteSettings
from tidegate.model.errors import TidegateError, UsageError
from tidegate.relay.service import Machine, Relay


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_rules_ask_the_database_that_has_countries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asn = mmdb.write(tmp_path / "a.mmdb", {"8.8.8.0/24": mmdb.network(15169, "Example")})
    places = mmdb.write(tmp_path / "b.mmdb", {"8.8.8.0/24": mmdb.city("US", "Springfield")})
    rule = RouteSettings("us", backend=":1", countries=("US",))
    port = free_port()
    with answering(b"home") as home, answering(b"abroad") as abroad:
        settings = one(port, home, rules=(replace(rule, backend=f":{abroad}"),), proxy_from=("127.0.0.0/8",))
        config = Config(relay=settings, places=PlaceSettings((str(asn), str(places))))
        with carrying(settings, machine(config, None)):
            for client, answer in (("8.8.8.8", b"abroad"), ("9.9.9.9", b"home")):
                assert said(port, f"PROXY TCP4 {client} 192.0.2.1 5 80\r\n".encode()) == answer
        assert machine(replace(config, places=PlaceSettings((str(asn),))), None).countries is None
        monkeypatch.setattr("tidegate.enrich.place.default_folders", lambda: [tmp_path])
        assert machine(replace(config, places=PlaceSettings()), None).countries == str(places)


def test_without_services_there_is_none() -> None:
    part = RelayPart()
    part.follow(RelaySettings(), Machine())
    assert part.poll() == []
    assert part.facts() == {}
    assert list(part.end(lambda: False)) == []
    with pytest.raises(UsageError, match="no services"):
        _ = part.relay


def test_it_runs_follows_and_ends() -> None:
    port, other = free_port(), free_port()
    part = RelayPart()
    with answering() as backend:
        part.follow(one(port, backend), Machine())
        part.poll()
        assert said(port) == b"hello"
        with call(port) as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
            part.follow(one(other, backend), Machine())
            wait_for(lambda: part.poll() is not None and said(other) == b"hello")
            client.sendall(b"b")
            assert client.recv(1) == b"b"
            with pytest.raises(UsageError):
                part.follow(one(other, backend, deny_files=("/no/such",)), Machine())
            assert part.facts()["relay"]["services"]["front"]["total"] >= 2
        tables = {batch.table for batches in part.end(lambda: False) for batch in batches}
        assert {"relay", "conn"} <= tables
    assert part.facts()["relay"] is None


def test_an_end_that_nobody_waits_for_waits_for_nobody() -> None:
    port, part = free_port(), RelayPart()
    with answering() as backend:
        part.follow(one(port, backend), Machine())
        part.poll()
        with call(port) as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
            list(part.end(lambda: True))
            assert client.recv(1) == b""


def test_one_that_is_not_wanted_any_more_is_drained() -> None:
    port, part = free_port(), RelayPart()
    with answering() as backend:
        part.follow(one(port, backend), Machine())
        part.poll()
        part.follow(RelaySettings(), Machine())
        wait_for(lambda: part.poll() == [] and part.facts() == {})
        with pytest.raises(OSError):
            call(port)


def test_one_that_fails_is_begun_again_after_a_while() -> None:
    clock, failures = Clock(), ["name server away", ""]
    made: list[Relay] = []

    def make(settings: RelaySettings, machine: Machine) -> Relay:
        if said_ := failures.pop(0):
            raise UsageError(said_)
        made.append(Relay(settings, machine))
        return made[-1]

    part = RelayPart(make, clock)
    with answering() as backend:
        part.follow(one(free_port(), backend), Machine())
        assert part.poll() == []
        assert part.facts() == {"relay": None, "relay_error": "name server away"}
        with pytest.raises(UsageError, match="name server away"):
            _ = part.relay
        part.poll()
        assert not made
        clock.now += 1.5
        part.poll()
        assert part.relay is made[0]
        assert part.error == ""
        list(part.end(lambda: True))


def test_a_core_that_fails_is_replaced() -> None:
    class Broken:
        def poll(self, timeout: float) -> Any:
            raise TidegateError("a defect")

        def stop(self) -> None: ...

    clock = Clock()
    part = RelayPart(lambda settings, machine: Broken(), clock)  # type: ignore[arg-type, return-value]
    part.follow(one(1, 2), Machine())
    part.poll()
    assert part.facts() == {"relay": None, "relay_error": "a defect"}


def test_the_database_of_countries_is_the_one_that_has_some(tmp_path: Path) -> None:
    asn = str(mmdb.write(tmp_path / "a.mmdb", {"192.0.2.0/24": mmdb.network(1, "a")}, "GeoLite2-ASN"))
    city = str(mmdb.write(tmp_path / "c.mmdb", {"192.0.2.0/24": mmdb.city("DE", "b")}, "DBIP-City-Lite"))
    own = str(mmdb.write(tmp_path / "o.mmdb", {"192.0.2.0/24": {"country_code": "DE"}}, "own"))

    def chosen(*databases: str) -> str | None:
        return machine(Config(places=PlaceSettings(databases)), None).countries

    assert chosen() is None
    assert chosen(own) == own
    assert chosen(asn, city) == city
    assert chosen(own, asn) == own
    assert chosen(str(tmp_path / "none"), city) == city


def test_another_database_of_countries_is_taken_over(tmp_path: Path) -> None:
    database = mmdb.write(tmp_path / "places.mmdb", {"127.0.0.0/24": {"country_code": "DE"}})
    rule = RouteSettings("german", refusal="close", countries=("de",))
    port, part = free_port(), RelayPart()
    with answering() as backend:
        settings = one(port, backend, rules=(rule,))
        part.follow(one(port, backend), Machine())
        part.poll()
        assert said(port) == b"hello"
        with pytest.raises(UsageError, match='rule "german": no database knows a country'):
            part.follow(settings, Machine())
        for country, heard in (("DE", b""), ("FR", b"hello")):
            mmdb.write(database, {"127.0.0.0/24": {"country_code": country}})
            part.follow(settings, Machine(countries=str(database)))
            assert said(port) == heard
        list(part.end(lambda: True))

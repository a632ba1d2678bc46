"""-p LISTEN=BACKEND: what is read, and that each mistake is one line that says what is expected."""

from dataclasses import replace

import pytest

from tidegate.model.config import (
    BackendSettings,
    RelayLimits,
    RelayServiceSettings,
    RelaySettings,
    RouteSettings,
)
from tidegate.model.errors import SettingError, UsageError
from tidegate.relay.build import Surroundings, build
from tidegate.relay.specs import EXPECTED, parse_spec, parse_specs
from tidegate.settings.check_relay import check_relay


@pytest.mark.parametrize(
    "text",
    [
        ":22=127.0.0.1:2222",
        "0.0.0.0:80=127.0.0.1:8080",
        "[::]:80=name:8080",
        ":25=unix:/run/x.sock",
        "1000-2000=:80",
    ],
)
def test_a_spec_becomes_a_service(text: str) -> None:
    listen, _, backend = text.partition("=")
    service = parse_spec(text)
    assert (service.name, service.listen, service.backend) == (listen, (listen,), backend)


@pytest.mark.parametrize(
    "text",
    ["", "=", "22", ":22", ":22=", "=:22", ":22:127.0.0.1:2222", ":99999=:1", ":22=nowhere", "::1:22=:1",
     ":22=1.2.3.4.5:1", ":22=:22=:22", "\n=\x1b", "🦊=🦊", "x" * 5000],
)  # fmt: skip
def test_a_bad_spec_is_one_line_that_says_what_is_expected(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    said = str(caught.value)
    assert said.endswith(EXPECTED)
    assert len(said) < 600


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="is there already"):
        parse_specs([":22=:1", ":22=:2"])
    with pytest.raises(UsageError, match="is there already"):
        parse_specs([":22=:1"], parse_specs([":22=:2"]))


@pytest.mark.parametrize("text", [":22=:22", "127.0.0.1:22=127.0.0.1:22", "[::]:22=[::1]:22"])
def test_what_leads_to_itself_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="leads to itself"):
        parse_spec(text)
    door, _, target = text.partition("=")
    loop = RelayServiceSettings("a", listen=(door,), backend=target)
    assert "call itself" in str(next(check_relay(RelaySettings((loop,)))))
    elsewhere = replace(loop, rules=(RouteSettings("tls", backend=":1", protocols=("tls",)),))
    assert not list(check_relay(RelaySettings((elsewhere,))))


@pytest.mark.parametrize(
    "text", [":22=192.0.2.1:22", "127.0.0.1:22=127.0.0.2:22", ":22=unix:/run/x", ":22=:23"]
)
def test_what_leads_elsewhere_is_not(text: str) -> None:
    assert parse_spec(text)


def test_targets_that_would_never_be_tried_are_refused() -> None:
    def wrong(count: int) -> list[SettingError]:
        targets = tuple(f"192.0.2.1:{port}" for port in range(1, count + 1))
        return list(check_relay(RelaySettings(backends=(BackendSettings("a", targets),))))

    assert wrong(64) == []
    assert "64 targets at most" in str(wrong(65)[0])


def test_a_burst_is_what_comes_in_a_second_unless_it_is_given() -> None:
    def burst(limits: RelayLimits) -> int:
        service = RelayServiceSettings("a", listen=("127.0.0.1:1",), backend=":2", limits=limits)
        return build(RelaySettings((service,)), Surroundings()).services[0].limits.burst

    assert burst(RelayLimits(rate=1000)) == 1000
    assert burst(RelayLimits(rate=0.1)) == 1
    assert burst(RelayLimits(rate=1000, burst=5)) == 5

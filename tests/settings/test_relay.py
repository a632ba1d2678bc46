"""The section relay: what can be set, and every mistake with its line."""

import pytest

from tidegate.app.checking import LOOKS
from tidegate.model.config import Config
from tidegate.settings.check import checked
from tidegate.settings.document import parse_document
from tidegate.settings.problem import ConfigError


def loaded(text: str) -> Config:
    return checked(parse_document(text, "t.yml"), LOOKS)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return [str(problem) for problem in caught.value.problems]


def test_numbers_texts_and_lists_are_doors() -> None:
    config = loaded("""\
relay:
  services:
    - {name: a, listen: 8080, backend: ":80"}
    - {name: c, listen: [22, "[::1]:9"], backend: "unix:/x", ports: [{ports: 22, backend: ":1"}]}
    - name: b
      listen: "127.0.0.9:1-65535 except 22,5000-5010"
      backend: ":80"
      timeouts: {idle: null, first_byte: 500ms}
      limits: {bytes_per_day: 1G, rate: 2.5}
      excerpts: {per_read: all, per_direction: 4K}
""")
    a, c, b = config.relay.services
    assert (a.listen, c.listen) == (("8080",), ("22", "[::1]:9"))
    assert b.listen == ("127.0.0.9:1-65535 except 22,5000-5010",)
    assert c.ports[0].ports == "22"
    assert (b.timeouts.idle, b.timeouts.first_byte) == (None, 0.5)
    assert (b.limits.bytes_per_day, b.limits.rate) == (10**9, 2.5)
    assert (b.excerpts.per_read, b.excerpts.per_direction) == (1 << 30, 4000)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("limits: {connections: 99999999999999999999}", "limits.connections: 1,000,000,000 at most"),
        ("listen_backlog: 9000000000", "listen_backlog: 1,000,000,000 at most"),
        ("excerpts: {per_direction: -3}", "excerpts.per_direction: 0 at least"),
    ],
)
def test_numbers_that_the_core_cannot_take_are_told_with_their_line(given: str, said: str) -> None:
    (problem,) = problems(f"""\
relay:
  services:
    - name: a
      listen: 8080
      backend: ":80"
      {given}
""")
    assert problem.startswith("t.yml:6: relay.services[0].")
    assert said in problem


def test_every_mistake_is_told_with_its_line() -> None:
    said = problems("""\
relay:
  threads: 0
  backends:
    - {name: web, targets: ["10.0.0.300:1"], check: 1s, check_fall: 0}
  services:
    - name: a
      listen: [8080, "::1:80"]
      backend: wob
      rules:
        - {name: x, backend: web, pattern: '^(a', ports: 0-3, countries: DEU, sources: x}
        - {name: x}
        - {name: y, refusal: wait}
      limits: {connections: 0, rate: 0, network_v4: 33}
      deny_files: [relative]
      proxy_from: 10.0.0.0/33
    - {name: a, listen: ":8080", backend: ":1"}
    - {name: b, listen: 1}
    - {name: c, listen: 2, backend: trap}
""")
    for line, part in (
        (2, "relay.threads: 1 at least"),
        (4, '"10.0.0.300:1" is no target'),
        (4, "check_fall: 1 at least"),
        (7, '"::1:80" cannot be listened on'),
        (8, 'there is no backend "wob"; did you mean "web"?'),
        (10, '"^(a" is no pattern'),
        (10, "ports are 1 to 65535"),
        (10, '"DEU" is no country'),
        (10, '"x" is no address or network'),
        (11, "either a backend or a refusal"),
        (12, "wait is for limits"),
        (13, "connections: 1 at least"),
        (13, "rate: a number above 0"),
        (13, "network_v4: a length of 1 to 32"),
        (14, "a whole path is needed"),
        (15, '"10.0.0.0/33" is no address or network'),
        (16, 'port 8080 is listened on by service "a" already'),
        (17, "leads nowhere"),
        (18, 'there is no backend "trap" under relay.backends'),
    ):
        assert any(one.startswith(f"t.yml:{line}:") and part in one for one in said), (line, part, said)
    assert any('t.yml:16: relay.services[1].name: "a" is taken already' in one for one in said)
    assert any('rules[1].name: "x" is taken already' in one for one in said)


def test_an_address_and_every_address_are_in_each_others_way() -> None:
    text = (
        "relay: {services: [{name: a, listen: 80, backend: ':1'}, {name: b, listen: '%s:80', backend: ':1'}]}"
    )
    assert len(problems(text % "0.0.0.0")) == 1
    assert loaded(text % "127.0.0.1").relay.services[1].name == "b"

"""Rules without a relay: findings, and where first bytes go; as the library and as `test-rule`."""

import json
from pathlib import Path

import pytest

from helpers import Run
from tidegate.app.checking import LOOKS
from tidegate.model.config import (
    BackendSettings,
    Config,
    PortSettings,
    RelayServiceSettings,
    RelaySettings,
    RouteSettings,
)
from tidegate.relay.rules import Call, check_rules, judge

RULES = (
    RouteSettings("site", backend="web", sni=("*.example.org",)),
    RouteSettings("http", backend="web", protocols=("http",)),
    RouteSettings("ssh", backend="shell", protocols=("ssh",)),
    RouteSettings("login", backend="shell", pattern="^LOGIN ", ports="23"),
    RouteSettings("evil", refusal="tarpit", sources=("192.0.2.0/24",)),
)


def relay(*rules: RouteSettings) -> RelaySettings:
    backends = (
        BackendSettings("web", ("name.example:80",)),
        BackendSettings("shell", ("127.0.0.1:23",)),
        BackendSettings("mail", ("127.0.0.1:25",)),
        BackendSettings("trap", ("unix:/run/x",)),
    )
    front = RelayServiceSettings(
        "front", ("0.0.0.0:1-1000",), "trap", ports=(PortSettings("25", "mail"),), rules=rules or RULES
    )
    return RelaySettings((front,), backends)


@pytest.mark.parametrize(
    ("call", "backend", "rule", "protocol"),
    [
        (Call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "web", "http", "http"),
        (Call(b"SSH-2.0-x\r\n"), "shell", "ssh", "ssh"),
        (Call(b"LOGIN me", port=23), "shell", "login", None),
        (Call(b"LOGIN me", port=24), "trap", None, None),
        (Call(b""), "trap", None, None),
        (Call(b"", port=25), "mail", None, None),
    ],
)
def test_first_bytes_go_where_rules_say(call: Call, backend: str, rule: str, protocol: str) -> None:
    found = judge(relay(), call)
    assert (found.backend, found.rule, found.protocol) == (backend, rule, protocol)


def test_a_refusal_and_a_wait_are_said() -> None:
    found = judge(relay(), Call(b"x\r\n", source="192.0.2.9"))
    assert (found.backend, found.rule, found.refusal) == (None, "evil", "tarpit")
    assert judge(relay(), Call(b"SSH", more=True)).waits


def test_what_is_odd_of_rules_is_found() -> None:
    twice = RouteSettings("again", backend="shell", protocols=("http",))
    (finding,) = check_rules(relay(*RULES[:2], twice))
    assert (finding.rule, finding.fatal) == ("again", False)
    assert str(finding).startswith('service "front": rule "again": ')
    assert check_rules(relay()) == []


def test_what_is_wrong_keeps_it_from_starting() -> None:
    config = Config(relay=relay(RouteSettings("x", backend="web", protocols=("no-such-protocol",))))
    (error,) = [error for look in LOOKS for error in look(config)]
    assert error.key == ("relay", "services", 0, "rules", 0)


CONFIG = """\
relay:
  services:
    - name: front
      listen: 127.0.0.1:1-100
      backend: ":1"
      rules:
        - {name: get, pattern: "^GET ", backend: ":2"}
    - {name: other, listen: ":1000", backend: ":3"}
"""


def test_a_user_asks_which_rule_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text(CONFIG)
    (tmp_path / "first").write_bytes(b"GET / HTTP/1.1\r\n\r\n")
    words = ["relay", "--config", tmp_path / "t.yml", "test-rule"]
    done = run(*words, tmp_path / "first", "--service", "front")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "service   front", "protocol  http", "rule      get", "backend   :2",
    ]  # fmt: skip
    done = run(
        "relay",
        "test-rule",
        "-",
        "--config",
        tmp_path / "t.yml",
        "--service",
        "front",
        "--json",
        input="POST",
    )
    assert json.loads(done.stdout)["backend"] == ":1"
    # The port tells which service it is.
    assert run(*words, tmp_path / "first", "--dport", 7).stdout.splitlines()[2] == "rule      get"
    for arguments, said in (
        ([tmp_path / "first"], "several services"),
        ([tmp_path / "first", "--dport", 2000], "no service listens on port 2000"),
        ([tmp_path / "first", "--dport", 7, "--service", "other"], "does not listen on port 7"),
        ([tmp_path / "none", "--service", "front"], "No such file"),
        ([tmp_path / "first", "--service", "x"], 'there is no service "x"'),
        ([tmp_path / "first", "--service", "front", "--source", "x"], "no address"),
    ):
        done = run(*words, *arguments)
        assert done.returncode == 2
        assert said in done.stderr

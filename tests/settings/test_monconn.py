"""monconn's configuration becomes services of our relay, and what does not is told with its line."""

from pathlib import Path

import pytest

from tidegate.model.config import Config, RelayServiceSettings
from tidegate.model.errors import UsageError
from tidegate.settings.check import checked
from tidegate.settings.document import Document
from tidegate.settings.imports import import_files

TWO = """\
web:
  listen_ip: "127.0.0.1"
  listen_port: 8000
  backend_ip: "10.0.0.1"
  backend_port: 80
  read_timeout: 30
  write_timeout: 20
  wait_timeout: 5
  max_idle: 90
  conn_limit: 100
  ip_limit: 7
  keepalive: true
  print_bytes: true
  ip_blacklist: [192.0.2.1, 192.0.2.2]
  colour: red
ssh:
  listen_port: 2222
  backend_ip: "::1"
  backend_port: 22
"""


def imported(tmp_path: Path, text: str) -> tuple[Config, tuple[str, ...]]:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    made = import_files([file])
    assert made.program == "monconn"
    document = Document("made", made.settings)
    return checked(document), made.notes


def test_services_limits_and_times_are_taken(tmp_path: Path) -> None:
    config, _ = imported(tmp_path, TWO)
    web, ssh = config.relay.services
    assert (web.name, web.listen, web.backend) == ("web", ("127.0.0.1:8000",), "10.0.0.1:80")
    assert (web.timeouts.idle, web.timeouts.write_stall) == (30, 20)
    assert (web.limits.connections, web.limits.addresses, web.limits.refusal) == (100, 7, "wait")
    assert (web.keepalive, web.hex, web.deny) == (30, True, ("192.0.2.1", "192.0.2.2"))
    assert (ssh.listen, ssh.backend) == ((":2222",), "[::1]:22")
    assert (ssh.timeouts.idle, ssh.keepalive, ssh.limits) == (600, None, RelayServiceSettings("", ()).limits)
    assert config.relay.drain == 60


def test_what_is_not_the_same_is_told_with_its_line(tmp_path: Path) -> None:
    _, notes = imported(tmp_path, TWO)
    said = "\n".join(notes)
    for part in (
        'config.yaml:15: monconn has no "colour"',
        "config.yaml:6: read_timeout and max_idle become one",
        "config.yaml:11: ip_limit 7 admits 7 addresses",
        "wait_timeout: one drain time holds for all",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("listen_port: 99999", "config.yaml:2"),
        ("listen_port: 80\n  backend_ip: 'a b'", "config.yaml:"),
        ("listen_port: 80\n  backend_port: 1\n  conn_limit: many", "config.yaml:4: conn_limit: a number"),
        ("listen_port: 80\n  backend_port: 1\n  ip_blacklist: [x]", "config.yaml:4"),
    ],
)
def test_a_mistake_in_it_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        imported(tmp_path, f"web:\n  {line}\n")
    assert said in str(caught.value)

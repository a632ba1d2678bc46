"""AutoNapt's files become a relay of ours, and what does not is told with its line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.settings.check import checked
from tidegate.settings.document import Document
from tidegate.settings.imports import Imported, import_files

PORTS = """\
{ "ports": [
  { "port": "21",       "name": "a", "timeout": 1.0, "default_protocol": "WEB",    "comment": "" },
  { "port": "20-30",    "name": "b", "timeout": 1.0, "default_protocol": "SHELL",  "comment": "" },
  { "port": "100-200",  "name": "c", "timeout": 2.5, "default_protocol": "NOBODY", "comment": "" }
] }
"""

PROTOCOLS = r"""
{ "protocols": [
  { "name": "WEB", "server": { "address": "127.0.0.1", "port": 8001 }, "comment": "",
    "rules": [ { "name": "post", "packet": "^POST ", "remote": { "address": "any", "port": "any" } },
               { "name": "", "packet": "\\x00\\xFF.SMB", "remote": { "address": "192.0.2.1" } } ] },
  { "name": "WEB", "server": { "address": "127.0.0.1", "port": 8002 }, "comment": "",
    "rules": [ { "name": "get", "packet": "^GET ", "port": 80 },
               { "name": "ahead", "packet": "^(?=x)" },
               { "name": "none", "packet": "" } ] },
  { "name": "SHELL", "server": { "address": "127.0.0.1", "port": 23 }, "comment": "", "rules": null }
], "default_protocol": "SHELL" }
"""


def imported(tmp_path: Path, **files: str) -> Imported:
    paths = []
    for name, text in files.items():
        paths.append(tmp_path / name.replace("_", "."))
        paths[-1].write_text(text)
    return import_files(paths)


def built(settings: dict[str, Any]) -> Config:
    document = Document("made", {"relay": settings["relay"]})
    return checked(document)


def test_ports_backends_and_rules_are_taken(tmp_path: Path) -> None:
    made = imported(tmp_path, ports_json=PORTS, protocols_json=PROTOCOLS)
    relay = built(made.settings).relay
    assert {backend.name: backend.targets for backend in relay.backends} == {
        "WEB": ("127.0.0.1:8001",),
        "WEB/#2": ("127.0.0.1:8002",),
        "SHELL": ("127.0.0.1:23",),
    }
    first, second = relay.services
    assert (first.name, first.listen) == ("autonapt-1s", ("0.0.0.0:20,21,22-30",))
    assert [(other.ports, other.backend) for other in first.ports] == [("21", "WEB")]
    assert (second.listen, second.ports, second.backend) == (("0.0.0.0:100-200",), (), "SHELL")
    assert [service.timeouts.first_byte for service in relay.services] == [1.0, 2.5]
    assert [(rule.name, rule.pattern, rule.ports, rule.backend) for rule in first.rules] == [
        ("post", "^POST ", "", "WEB"),
        ("WEB", r"^(?:\x00\xFF.SMB)", "", "WEB"),
        ("get", "^GET ", "80", "WEB/#2"),
        ("no-rule", "(?s)^.", "", "SHELL"),
    ]
    assert first.excerpts.per_read == 256
    assert made.settings["logs"][0]["format"] == "autonapt"


def test_what_is_not_the_same_is_told_with_its_line(tmp_path: Path) -> None:
    said = "\n".join(imported(tmp_path, ports_json=PORTS, protocols_json=PROTOCOLS).notes)
    for part in (
        "ports.json:3: some ports of 20-30 are named above",
        'ports.json:4: there is no protocol "NOBODY"; who says nothing goes to SHELL',
        'protocols.json:5: "remote" was never looked at',
        'protocols.json:8: the rule "^(?=x)" is left out',
        "protocols.json:9: a rule without a packet",
    ):
        assert part in said


def test_one_file_with_both_is_taken(tmp_path: Path) -> None:
    both = json.loads(PORTS) | json.loads(PROTOCOLS)
    made = imported(tmp_path, settings_json=json.dumps(both))
    assert len(built(made.settings).relay.services) == 2


def test_its_server_is_taken(tmp_path: Path) -> None:
    made = imported(tmp_path, elastic_ini="[env]\nurl = http://localhost:9200/\nverify_certs = False\n")
    (server,) = checked(Document("made", made.settings)).elastic
    assert (server.urls, server.tables) == (("http://localhost:9200",), ("relay",))
    assert "verify_certs" in made.notes[0]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ports_json": PORTS}, "protocols.json is needed"),
        ({"protocols_json": PROTOCOLS}, "ports.json is needed"),
        ({"ports_json": '{"ports": [{"port": "x"}]}', "protocols_json": PROTOCOLS}, "ports.json:1"),
        (
            {"ports_json": '{"ports": []}', "protocols_json": '{"protocols": [{"name": "x"}]}'},
            'needs "server"',
        ),
        ({"elastic_ini": "nothing"}, "elastic.ini"),
        ({"a_yml": "service:\n", "b_yml": "service:\n"}, "one file"),
    ],
)
def test_what_is_missing_or_wrong_is_told(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        imported(tmp_path, **files)
    assert said in str(caught.value)

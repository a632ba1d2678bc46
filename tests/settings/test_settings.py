"""The configuration: every mistake is told with its line, and every key can be set and is explained."""

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tidegate.app.checking import LOOKS
from tidegate.model.config import Config
from tidegate.model.config.relay import ALL, DOORS, EXCERPT, PORTS
from tidegate.model.errors import UsageError
from tidegate.settings.build import build
from tidegate.settings.check import checked
from tidegate.settings.document import Document, parse_document, parse_value
from tidegate.settings.environment import with_environment
from tidegate.settings.find import find, load
from tidegate.settings.keys import Key, all_keys, field_of
from tidegate.settings.problem import ConfigError


def loaded(text: str, environment: dict[str, str] | None = None) -> Config:
    return checked(with_environment(parse_document(text, "t.yml"), environment or {}), LOOKS)


def problems(text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text, environment)
    return [str(problem) for problem in caught.value.problems]


def test_nothing_written_means_the_defaults() -> None:
    assert loaded("") == Config()


def test_units_lists_and_groups_are_read() -> None:
    config = loaded(
        "watch:\n  interfaces: eth0, lo\n  engine: {interim: 500ms}\n"
        "store: {keep_bytes: 2G, keep_age: 90}\n"
        "alerts:\n  rules:\n  - {name: a, metric: packets, threshold: 1e6, window: 5m, actions: log}\n"
    )
    assert config.watch.interfaces == ("eth0", "lo")
    assert config.watch.engine.interim == 0.5
    assert (config.store.keep_bytes, config.store.keep_age) == (2_000_000_000, 90)
    assert (config.alerts.rules[0].window, config.alerts.rules[0].actions) == (300, ("log",))


def test_every_mistake_is_told_with_its_line() -> None:
    text = """\
watch:
  interface: eth0
store:
  keep_age: 2x
alerts:
  rules:
    - name: a
      metric: packets
      threshold: lots
    - metric: packets
logs:
  - {name: x, path: y, format: xml}
service: 5
"""
    assert problems(text) == [
        't.yml:2: unknown key "watch.interface"; did you mean "interfaces"?',
        't.yml:4: store.keep_age: "2x" is no duration: write 90, 200s, 5m, 2h or 1d',
        't.yml:9: alerts.rules[0].threshold: "lots" is no size: write 1000, 64K, 100M or 10G '
        "(64Ki, 100Mi, 10Gi: by 1024)",
        't.yml:10: alerts.rules[1] needs "name"',
        "t.yml:10: alerts.rules[1].threshold: packets needs a threshold: a number from 0, or a size",
        "t.yml:12: logs[0].format: one of conmon, tsv, csv, jsonl, zeek, eve, ecs, autonapt, cowrie is "
        "expected, not 'xml'",
        "t.yml:13: service: a group of keys is expected, not 5",
    ]


def test_an_address_for_all_and_a_length_for_nothing_are_refused() -> None:
    assert problems("service: {metrics: '0.0.0.0:9700'}\nwatch: {snaplen: -5}\n") == [
        't.yml:1: service.metrics: "0.0.0.0:9700" is no loopback address: write 127.0.0.1:9700',
        "t.yml:2: watch.snaplen: -5 bytes of a packet; 64 to 262144 can be kept",
    ]


def test_what_types_cannot_say_is_checked_too() -> None:
    text = """\
alerts:
  rules:
    - {name: a, metric: speed, threshold: 1, clear: 2, key: colour}
    - {name: a, metric: packets, threshold: 1, filter: "prg:x", actions: [pager]}
    - {name: b, metric: bytes, key: "process_name, colours"}
    - {name: c, metric: new_program}
logs:
  - {name: x, path: y, tables: [con], columns: [uri]}
"""
    said = "\n".join(problems(text))
    for part in (
        't.yml:3: alerts.rules[0].metric: there is no metric "speed"; there are bytes, ',
        't.yml:4: alerts.rules[1].name: "a" is taken already',
        't.yml:4: alerts.rules[1].filter: there is no field "prg"; did you mean "prog"?',
        't.yml:4: alerts.rules[1].actions: there is no action "pager"; there are log, screen',
        "t.yml:5: alerts.rules[2].threshold: bytes needs a threshold",
        't.yml:5: alerts.rules[2].key: there is no column in conn "colours"',
        't.yml:8: logs[0].tables: there is no table "con"; did you mean "conn"?',
    ):
        assert part in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", 't.yml:2: "a" is there twice in one group'),
        ("a:\n\tb: 1\n", "t.yml:2: there is a tab"),
        ("a:\n  b: 1\n   c: 2\n", "t.yml:3: a key is not expected here"),
        ("a: b: c\n", "t.yml:1: a key is not expected here: "),
        ("a: [1\nb", "t.yml:2: expected"),
        ("- 1", "this is a list"),
        ("5", "this is a single value"),
        ("a: !!python/object/apply:os.system [x]", 'unknown key "a"'),
        ("\x00", "t.yml"),
    ],
)
def test_what_is_no_configuration_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_thousand_levels_are_refused() -> None:
    with pytest.raises(UsageError):
        loaded("[" * 5000)


def test_the_environment_sets_keys(tmp_path: Path) -> None:
    file = tmp_path / "t.yml"
    file.write_text("store: {keep_age: 1d, path: /a}\n")
    config = load(
        file,
        {
            "TIDEGATE_STORE__KEEP_AGE": "7d",
            "TIDEGATE_WATCH__INTERFACES": "eth0, lo",
            "TIDEGATE_WATCH__ENGINE__KEEP_CREDENTIALS": "true",
            "TIDEGATE_ALERTS__RULES": "[{name: a, metric: packets, threshold: 5}]",
            "HOME": "/",
        },
    )
    assert (config.store.keep_age, config.store.path) == (7 * 86400, "/a")
    assert config.watch.interfaces == ("eth0", "lo")
    assert config.watch.engine.keep_credentials is True
    assert config.alerts.rules[0].name == "a"


def test_a_variable_that_sets_nothing_is_a_mistake() -> None:
    assert problems("stor: 1\n", {"TIDEGATE_STORE_KEEP_AGE": "7d", "TIDEGATE_STORE__PATH": "[1, 2]"}) == [
        "environment: TIDEGATE_STORE_KEEP_AGE: sets nothing; did you mean TIDEGATE_STORE__KEEP_AGE?",
        "TIDEGATE_STORE__PATH: store.path: text is expected, not [1, 2]",
        't.yml:1: unknown key "stor"; did you mean "store"?',
    ]


WRITTEN = {
    "watch.snaplen": ("700", 700),
    "watch.buffer": ("8Mi", 8 << 20),
    "watch.interfaces": ("eth0, wlan0", ("eth0", "wlan0")),
    "watch.tables": ("[conn, dns]", ("conn", "dns")),
    "service.metrics": ("[::1]:7", "[::1]:7"),
    "logger": ("{version: 1}", {"version": 1}),
    "elastic[].name": ("n2", "n2"),
    "elastic[].stream": ("net", "net"),
    "elastic[].spool_size": ("3M", 3_000_000),
    "alerts.rules[].metric": ("packets", "packets"),
    "alerts.rules[].levels": ("[0.5, 1]", (0.5, 1.0)),
    "alerts.rules[].reset_day": ("7", 7),
}
"""How some keys are written, and what they become; the others go by what is expected."""


def written(key: Key) -> tuple[str, object]:
    """A value that is not the default, as text and as it has to arrive."""
    if key.name in WRITTEN:
        return WRITTEN[key.name]
    if key.expected.startswith("one of"):
        words = key.expected.removeprefix("one of ").split(", ")
        return (words[-1], words[-1])
    if key.expected == "true or false":
        return ("false", False) if key.default is True else ("true", True)
    word = key.expected.removeprefix("a list: ")
    text, value = {
        "text": ("x y", "x y"),
        "a whole number": ("9", 9),
        "a number": ("0.5", 0.5),
        "a duration: 90, 200s, 5m, 2h, 1d": ("7m", 420.0),
        "a size: 1000, 64K, 100M, 10G": ("3K", 3000),
        "a number or a size: 7000, 64K, 100G": ("5K", 5000.0),
        DOORS.like: ("8080", ("8080",)),
        PORTS.like: ("443", "443"),
        EXCERPT.like: ("all", ALL),
    }[word]
    return text, (value,) if key.several else value


NEEDED = {"watch.record": {"path": "x"}, "alerts.rules": {"name": "n", "metric": "bytes"}}
NEEDED |= {"alerts.webhooks": {"name": "n", "url": "u"}, "alerts.mails": {"name": "n", "to": ["x"]}}
NEEDED |= {"logs": {"name": "n", "path": "p"}, "alerts.silences": {}}
NEEDED |= {"relay.services": {"name": "n", "listen": 1}, "relay.backends": {"name": "n", "targets": ":1"}}
NEEDED |= {"relay.services[].ports": {"ports": 1, "backend": ":1"}, "relay.services[].rules": {"name": "n"}}
NEEDED |= {"schedule.reports": {"report": "r", "at": "daily"}}
NEEDED |= {"schedule.windows": {"name": "n", "from": "1:00", "to": "2:00"}}
NEEDED |= {"elastic": {"name": "n", "urls": "u"}}
"""What has to be given beside a key."""


def variables(key: Key, text: str) -> dict[str, str]:
    """What in the environment sets the key."""
    if "[]" not in key.path:
        beside = {"TIDEGATE_WATCH__RECORD__PATH": "x"} if key.path[:2] == ("watch", "record") else {}
        return {**beside, key.variable: text}
    item: Any = parse_value(text)
    for place, part in reversed(list(enumerate(key.path[key.path.index("[]") :], key.path.index("[]")))):
        named = ".".join(key.path[:place]).replace(".[]", "[]")
        item = [NEEDED[named] | item] if part == "[]" else {part: item}
    return {key.list_variable: json.dumps(item)}


@pytest.mark.parametrize("key", [key for key in all_keys() if key.group is None], ids=lambda key: key.name)
def test_every_key_can_be_set_by_its_variable(key: Key) -> None:
    text, wanted = written(key)
    assert wanted != key.default
    found: Any = build(with_environment(Document("t", {}), variables(key, text)))
    for part in key.path:
        found = found[0] if part == "[]" else getattr(found, field_of(part))
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize("key", [key for key in all_keys() if key.several], ids=lambda key: key.name)
def test_every_list_can_be_set_as_yaml_and_emptied(key: Key) -> None:
    if "[]" in key.path:
        return
    found: Any = build(with_environment(Document("t", {}), {key.variable: "[]"}))
    for part in key.path:
        found = getattr(found, part)
    assert found == ()


def test_a_key_that_another_sets_is_named() -> None:
    assert problems("watch: {engine: {excerpt: 5}}\n") == [
        't.yml:1: unknown key "watch.engine.excerpt"; set excerpts.bytes'
    ]


def test_every_key_is_explained() -> None:
    for key in all_keys():
        assert key.doc, key.name
        assert not key.doc.endswith("."), key.name
    assert {field.name for field in fields(Config)} == {key.name for key in all_keys() if "." not in key.name}


def test_where_a_file_is_looked_for(tmp_path: Path) -> None:
    assert find(None, {"TIDEGATE_CONFIG": str(tmp_path / "x")}) == tmp_path / "x"
    assert find(tmp_path / "y", {"TIDEGATE_CONFIG": "x"}) == tmp_path / "y"
    with pytest.raises(UsageError, match="no such file"):
        load(tmp_path / "none.yml", {})
    with pytest.raises(UsageError, match="is a directory"):
        load(tmp_path, {})


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "more than 100000 values"),
        ("a: &a {<<: *a}\n", "refers to itself"),
        (f"store: {{keep_age: 0x{'f' * 5000}}}\n", "a number that long"),
    ],
)
def test_what_would_burst_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tidegate.yml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        load(file, {})


def test_what_is_no_file_is_called_so(tmp_path: Path) -> None:
    pipe = tmp_path / "tidegate.yml"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="not a file"):
        load(pipe, {})

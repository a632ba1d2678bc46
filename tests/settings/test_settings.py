"""The configuration: every mistake is told with its line, and every key can be set and is explained."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tidegate.app.checking import LOOKS
from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.settings.build import build
from tidegate.settings.check import checked
from tidegate.settings.document import Document, parse_document
from tidegate.settings.environment import with_environment
from tidegate.settings.find import find, load
from tidegate.settings.keys import all_keys
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
    assert (config.store.keep_bytes, config.store.keep_age) == (2 << 30, 90)
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
        't.yml:9: alerts.rules[0].threshold: "lots" is no size: write 1000, 64K, 100M or 10G',
        't.yml:10: alerts.rules[1] needs "name"',
        "t.yml:10: alerts.rules[1].threshold: packets needs a threshold: a number from 0, or a size",
        "t.yml:12: logs[0].format: one of conmon, tsv, csv, jsonl, zeek, eve, ecs is expected, not 'xml'",
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
        ("a: 1\na: 2\n", "t.yml:2: found duplicate key"),
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


@pytest.mark.parametrize("key", [key for key in all_keys() if key.variable and key.group is None])
def test_every_key_can_be_set_by_its_variable(key: Any) -> None:
    examples = {"text": "x", "a list: text": "x", "true or false": "true", "keys and values": "{version: 1}"}
    words = key.expected
    text = {"watch.snaplen": "700", "service.metrics": "[::1]:7"}.get(key.name, examples.get(words, "7"))
    if words.startswith("one of"):
        text = words.removeprefix("one of ").split(", ")[0]
    values = with_environment(Document("t", {}), {key.variable: text}).values
    if key.path == ("watch", "record", "rotate_size") or key.path[:2] == ("watch", "record"):
        values["watch"]["record"]["path"] = "x"
    built: Any = build(Document("t", values))
    for part in key.path:
        built = getattr(built, part)
    assert built != key.default or text in ("7", "true") or words.startswith("one of")


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

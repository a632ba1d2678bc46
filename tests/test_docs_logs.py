"""The pages about logs and privacy keep up with the code: what they show is what is written."""

import json
import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from helpers import Run
from tidegate.model.config import Config, LogSettings
from tidegate.settings.check import checked
from tidegate.settings.document import parse_document
from tidegate.sinks.log import open_logs
from tidegate.sinks.logger import LoggerSink

ROOT = Path(__file__).parents[1]
LOGS = (ROOT / "docs" / "logs.md").read_text()
PRIVACY = (ROOT / "docs" / "privacy.md").read_text()


def configurations(page: str) -> list[Config]:
    found = []
    for text in re.findall(r"```yaml\n(.*?)```", page, re.S):
        found.append(checked(parse_document(text, "page")))
    return found


def test_the_logs_of_the_page_can_be_opened(tmp_path: Path) -> None:
    logs, _ = configurations(LOGS)
    opened = open_logs(
        [replace(log, path=log.path.replace("/var/log/tidegate", str(tmp_path))) for log in logs.logs]
    )
    assert [log.name for log in opened] == ["connections", "curl", "zeek", "suricata", "few"]
    for log in opened:
        log.close()


def test_the_logger_of_the_page_works(tmp_path: Path) -> None:
    _, config = configurations(LOGS)
    logger: Any = json.loads(json.dumps(config.logger))
    logger["handlers"]["file"]["filename"] = str(tmp_path / "log")
    sink = LoggerSink(logger)
    assert set(sink.tables) == {"conn", "packet"}
    sink.close()


def test_every_key_of_a_log_is_on_the_page() -> None:
    rows = [line.split("|")[1] for line in LOGS.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {field.name for field in fields(LogSettings)}


@pytest.mark.parametrize("format", ["conmon", "conmon --table packet --excerpt 40", "zeek --table http"])
def test_lines_of_the_page_are_those_that_are_written(format: str, run: Run) -> None:
    command = f"tidegate read tests/golden/http4.pcap --format {format}"
    shown = re.search(rf"^    \$ {re.escape(command)}\n((?:    [^\n]+\n)+)", LOGS, re.M)
    assert shown
    lines = {line.removeprefix("    ") for line in shown[1].splitlines()} - {"…"}
    done = run(*command.split()[1:], cwd=ROOT)
    assert len(lines) >= 2
    assert lines <= set(done.stdout.splitlines())


@pytest.mark.parametrize("format", ["eve", "ecs"])
def test_objects_of_the_page_are_those_that_are_written(format: str, run: Run) -> None:
    command = f"tidegate read tests/golden/http4.pcap --format {format}"
    shown = re.search(rf"    \$ {command}\n\n```json\n(.*?)```", LOGS, re.S)
    assert shown
    events = map(json.loads, run(*command.split()[1:], cwd=ROOT).stdout.splitlines())
    assert any(holds(event, json.loads(shown[1])) for event in events)


def holds(event: Any, part: Any) -> bool:
    """Whether all of the part is in the event."""
    if not isinstance(part, dict):
        return bool(event == part)
    return isinstance(event, dict) and all(key in event and holds(event[key], part[key]) for key in part)


def test_keys_that_the_pages_name_are_there() -> None:
    assert configurations(PRIVACY)
    groups = {each.name for each in fields(Config)}
    named = {
        name
        for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)", PRIVACY + LOGS)
        if name.split(".")[0] in groups
    }
    assert {"excerpts.bytes", "excerpts.keep_time", "programs.cmdline", "store.keep_age"} <= named
    for name in named - {"logging.config"}:
        found: Any = Config()
        for part in name.split("."):
            assert is_dataclass(found), name
            assert hasattr(found, part), name
            found = getattr(found, part)

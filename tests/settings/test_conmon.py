"""conmon's configuration becomes ours."""

from typing import Any

import pytest

from tidegate.app.checking import LOOKS
from tidegate.model.errors import UsageError
from tidegate.settings.check import checked
from tidegate.settings.conmon import conmon_notes, import_conmon
from tidegate.settings.document import Document, parse_document

LOGGER = """\
logger:
    version: 1
    handlers:
        console: {class: logging.StreamHandler, level: DEBUG, stream: 'ext://sys.stdout'}
    root: {level: DEBUG, handlers: [console]}
"""


def imported(text: str) -> dict[str, Any]:
    settings = import_conmon(parse_document(text, "config.yml"))
    document = Document("made", settings)
    checked(document, LOOKS)
    return settings


def test_one_host_and_port() -> None:
    settings = imported("service:\n    hostip: 10.0.0.1\n    hport: 3306\n    lip: 10.0.0.2\n")
    assert settings["watch"]["filter"] == "tcp and host 10.0.0.1 and host 10.0.0.2 and port 3306"
    assert settings["logs"][0]["filter"] == "dst:10.0.0.1 dport:3306 src:10.0.0.2"
    assert settings["logs"][0]["per"] == "segment"


def test_its_logger_is_taken_as_it_is() -> None:
    settings = imported(LOGGER + "service:\n")
    assert settings["logger"]["handlers"]["console"]["stream"] == "ext://sys.stdout"
    assert "logs" not in settings
    assert settings["watch"]["filter"] == "tcp"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("watch: {}\n", "no configuration of conmon"),
        ("service: {hostip: nowhere}\n", 'config.yml:1: "nowhere" is no address'),
        ("service: {hport: 70000}\n", '"70000" is no port'),
        ("service: {host: 1}\n", 'conmon has no "host"'),
        ("service: [1]\n", "keys such as hostip are expected"),
    ],
)
def test_what_is_none_of_its_files(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        imported(text)


def test_what_is_ignored_and_what_is_kept_is_said() -> None:
    notes = conmon_notes(parse_document("service: {hport: 80}\nfilter: tcp\n", "config.yml"))
    assert notes[0] == 'config.yml:2: conmon has no "filter"; left out'
    assert "payload is kept in the store, too" in notes[1]

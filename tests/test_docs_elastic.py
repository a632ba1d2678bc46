"""The page about Elasticsearch and OpenSearch keeps up with the code."""

import re
from dataclasses import fields, replace
from pathlib import Path

from tidegate.model.config import ElasticSettings
from tidegate.settings.check import checked
from tidegate.settings.document import parse_document
from tidegate.sinks.elastic.sink import mistakes

PAGE = (Path(__file__).parents[1] / "docs" / "elastic.md").read_text()


def test_every_key_is_on_the_page() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {
        field.name for field in fields(ElasticSettings)
    }


def test_the_configuration_of_the_page_is_right(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    config = checked(parse_document(text, "page"))
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    secret.chmod(0o600)
    assert not list(
        mistakes([replace(each, password_file=str(secret), ca_file="") for each in config.elastic])
    )

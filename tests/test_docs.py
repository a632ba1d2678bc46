"""The documentation keeps up with the code, or this fails."""

from pathlib import Path

import pytest
import rich_click as click

import tidegate
from tidegate.cli import VERBS, load

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_documented(verb: str) -> None:
    page = (DOCS / f"{verb}.md").read_text()
    for parameter in load(verb).params:
        if isinstance(parameter, click.Option):
            for name in [*parameter.opts, *parameter.secondary_opts]:
                assert f"`{name}" in page, f"{name} of {verb}"


@pytest.mark.parametrize("verb", VERBS)
def test_no_option_is_documented_that_is_not_there(verb: str) -> None:
    page = (DOCS / f"{verb}.md").read_text()
    known = {name for other in VERBS for parameter in load(other).params for name in parameter.opts}
    words = page.replace("`", " ").replace(",", " ").replace("|", " ").split()
    assert {word for word in words if word.startswith("--") and word.strip("-")} <= known


def test_every_option_has_help() -> None:
    for verb in VERBS:
        for parameter in load(verb).params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{parameter.name} of {verb}"


def test_every_table_is_on_its_page() -> None:
    page = (DOCS / "tables.md").read_text()
    for table in tidegate.tables():
        assert f"`{table.name}`" in page


def test_everything_public_is_documented() -> None:
    page = (DOCS / "python.md").read_text()
    for name in set(tidegate.__all__) - {"__version__"}:
        assert name in page, name

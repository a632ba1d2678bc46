"""The documentation keeps up with the code, or this fails."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import rich_click as click

import tidegate
from helpers import Run
from tidegate.cli import VERBS, load
from tidegate.queries.question import EVERYWHERE

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def parameters(verb: str) -> list[click.Parameter]:
    """Of a verb, and of the verbs below it."""
    command = load(verb)
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [*command.params, *(parameter for each in below for parameter in each.params)]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_documented(verb: str) -> None:
    page = (DOCS / f"{verb}.md").read_text()
    for parameter in parameters(verb):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            for name in [*parameter.opts, *parameter.secondary_opts]:
                assert f"`{name}" in page, f"{name} of {verb}"


@pytest.mark.parametrize("verb", VERBS)
def test_no_option_is_documented_that_is_not_there(verb: str) -> None:
    page = (DOCS / f"{verb}.md").read_text()
    known = {name for other in VERBS for parameter in parameters(other) for name in parameter.opts}
    words = page.replace("`", " ").replace(",", " ").replace("|", " ").split()
    assert {word for word in words if word.startswith("--") and word.strip("-")} <= known


def test_every_option_has_help() -> None:
    for verb in VERBS:
        for parameter in parameters(verb):
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{parameter.name} of {verb}"


def test_every_table_is_on_its_page() -> None:
    page = (DOCS / "tables.md").read_text()
    for table in tidegate.tables():
        assert f"`{table.name}`" in page


def test_every_question_is_on_its_page_and_no_other() -> None:
    lines = (DOCS / "query.md").read_text().splitlines()
    listed = [line for line in lines if line.count("|") == 5 and line.startswith("| `")]
    assert listed == [
        f"| `{question.name}` | {question.doc} | {_marked(question.tables)}"
        f" | {_marked(parameter.name for parameter in question.own)} |"
        for question in tidegate.questions()
    ]
    page = "\n".join(lines)
    for parameter in EVERYWHERE:
        assert f"\n| `{parameter.name}` | " in page


def _marked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def test_commands_with_questions_in_the_documentation_are_right() -> None:
    names = {question.name for question in tidegate.questions()}
    pages = [*DOCS.glob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("changelog.d/*.md")]
    asked = {name for page in pages for name in re.findall(r"--named ([a-z][\w-]*)", page.read_text())}
    assert "http-hosts" in asked
    assert asked <= names


def test_the_session_in_the_readme_is_what_is_said(run: Run) -> None:
    session = re.findall(
        r"^    \$ tidegate (.*)\n((?:    [^$\n].*\n|\n)+)", (ROOT / "README.md").read_text(), re.M
    )
    assert len(session) == 2
    for command, said in session:
        done = run(*command.split(), cwd=ROOT)
        shown = {line.removeprefix("    ") for line in said.splitlines()} - {"…", ""}
        assert shown
        assert shown <= set(done.stdout.splitlines())


def test_files_that_the_documentation_names_are_there() -> None:
    for page in ("CONTRIBUTING.md", "ARCHITECTURE.md", "docs/protocols.md", "docs/query.md"):
        text = (ROOT / page).read_text()
        for name in re.findall(r"`((?:crates|src|tests|docs|tools|bench)/[a-z0-9_./-]+)`", text):
            assert (ROOT / name).exists(), f"{name} in {page}"


def test_everything_public_is_documented() -> None:
    page = (DOCS / "python.md").read_text()
    for name in set(tidegate.__all__) - {"__version__"}:
        assert name in page, name

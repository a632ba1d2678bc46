"""The command line as a whole."""

import subprocess
import sys

import pytest

from helpers import Run
from tidegate.cli import VERBS


def test_help_lists_every_verb(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb, line in VERBS.items():
        assert verb in done.stdout
        assert line.split(":")[0] in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run: Run, verb: str) -> None:
    done = run(verb, "--help")
    assert done.returncode == 0
    assert "Usage: tidegate" in done.stdout


def test_without_a_verb_the_help_is_shown_as_a_mistake(run: Run) -> None:
    assert run().returncode == 2


def test_an_unknown_verb_is_one_line(run: Run) -> None:
    done = run("raed")
    assert done.returncode == 2
    assert done.stderr.startswith("tidegate: ")
    assert len(done.stderr.splitlines()) == 1


def test_help_imports_no_verb() -> None:
    check = (
        "import sys\nfrom tidegate.cli import run\nrun(['--help'])\n"
        "sys.exit(bool({'duckdb', 'tidegate.app', 'tidegate.cli.read'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True).returncode == 0

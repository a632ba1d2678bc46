"""What is made of the program itself: manual page, reference, completion."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import rich_click as click

import tidegate
from helpers import TIDEGATE, Run
from tidegate.cli import VERBS, load
from tidegate.cli.commands import described
from tidegate.cli.report import Report
from tidegate.model.tables import find_table
from tidegate.settings.keys import all_keys


def options() -> set[str]:
    """Of every command."""
    found: set[str] = set()

    def look(command: click.Command) -> None:
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                found.update(option.opts)
        for below in getattr(command, "commands", {}).values():
            look(below)
        if isinstance(command, Report):
            for below in command.below().values():
                look(below)

    for verb in VERBS:
        look(load(verb))
    return found


def test_every_command_is_described() -> None:
    names = {command.name for command in described()}
    assert {f"tidegate {verb}" for verb in VERBS} <= names
    assert {"tidegate alerts ack", "tidegate service install", "tidegate relay test-rule"} <= names
    assert "tidegate report list" in names
    assert all(command.paragraphs for command in described())


def test_the_manual_page_has_all_options_and_no_mistake(run: Run, tmp_path: Path) -> None:
    done = run("man")
    assert done.returncode == 0
    plain = done.stdout.replace("\\-", "-")
    assert {option for option in options() if option not in plain} == set()
    if not shutil.which("groff"):
        pytest.skip("groff is not here: apt install groff")
    page = tmp_path / "tidegate.1"
    page.write_text(done.stdout)
    judged = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True, timeout=60
    )
    complaints = [
        line for line in judged.stderr.splitlines() if "cannot adjust" not in line and "break" not in line
    ]
    assert (judged.returncode, complaints) == (0, [])
    shown = subprocess.run(
        ["groff", "-man", "-Tutf8", page], capture_output=True, text=True, timeout=60
    ).stdout
    assert "\u2010\n" not in shown  # a name that is broken with a hyphen cannot be copied
    assert "~/.local/state/tidegate" in shown


def test_the_reference_has_everything(run: Run) -> None:
    said = run("reference").stdout
    assert {option for option in options() if f"`{option}" not in said and f", {option}" not in said} == set()
    assert [key.name for key in all_keys() if key.group is None and f"`{key.name}`" not in said] == []
    for table in tidegate.tables():
        for column in find_table(table.name).columns:
            assert f"| `{column.name}` |" in said
    for line in said.splitlines():
        if line.startswith("| `"):
            assert line.replace("\\|", "").count("|") in (3, 4), line


def test_a_part_of_it(run: Run) -> None:
    assert run("reference", "config").stdout.startswith("# Configuration")
    assert run("reference", "tables").stdout.startswith("# Tables")
    assert run("reference", "nothing").returncode == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_reads_what_it_is_given(run: Run, shell: str) -> None:
    done = run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_TIDEGATE_COMPLETE" in done.stdout
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here: apt install {shell}")
    judged = subprocess.run([shell, "-n"], input=done.stdout, text=True, capture_output=True, timeout=60)
    assert (judged.returncode, judged.stderr) == (0, "")


def test_fish_has_the_whole_line(run: Run, tmp_path: Path) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish is not here: apt install fish")
    (tmp_path / "tidegate").write_text(f'#!/bin/sh\nexec {" ".join(TIDEGATE)} "$@"\n')
    (tmp_path / "tidegate").chmod(0o755)
    (tmp_path / "read.fish").write_text(run("completion", "fish").stdout)
    words = f'source {tmp_path}/read.fish; complete -C "tidegate report --da"'
    done = subprocess.run(
        ["fish", "--no-config", "-c", words],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "--day\tA day: today, yesterday, 2026-11-20.\n"


def test_values_are_called_as_in_the_documentation(run: Run) -> None:
    assert not re.search("INTEGER|FLOAT|TEXT|RANGE", run("reference", "commands").stdout)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("tidegate que", "plain,query"),
        ("tidegate query --na", "plain,--named"),
        ("tidegate service inst", "plain,install"),
        ("tidegate relay test-rule --dp", "plain,--dport"),
        ("tidegate run --config x", "file,x"),
        ("tidegate read x", "file,x"),
        ("tidegate report -r x", "file,x"),
        ("tidegate report p", "plain,pings"),
        ("tidegate report ./p", "file,./p"),
        ("tidegate report l", "plain,list"),
        ("tidegate report list --l", "plain,--limit"),
        ("tidegate report --day y", "plain,yesterday"),
        ("tidegate report --zone Europe/Be", "plain,Europe/Berlin"),
        ("tidegate query --named http-h", "plain,http-hosts"),
        ("tidegate tables htt", "plain,http"),
        ("tidegate config explain mail.su", "plain,mail.subject"),
        ("tidegate watch -i l", "plain,lo"),
    ],
)
def test_tab(words: str, wanted: str) -> None:
    asked = {"_TIDEGATE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(TIDEGATE, env=os.environ | asked, capture_output=True, text=True, timeout=60)
    assert wanted in done.stdout.splitlines()


@pytest.mark.parametrize("words", ["tidegate report pings x", "tidegate report --config /dev/null/x zz"])
def test_tab_where_there_is_nothing_to_propose_makes_no_noise(words: str) -> None:
    asked = {"_TIDEGATE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(TIDEGATE, env=os.environ | asked, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_list_of_reports_is_called_as_it_is_written(run: Run) -> None:
    assert "tidegate report list [OPTIONS]" in run("report", "list", "--help").stdout
    assert "see tidegate report list --help" in run("report", "list", "--nothing").stderr

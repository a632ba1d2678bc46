"""Files of reports: the shipped ones, a user's own, and what may be wrong in them."""

import os
from pathlib import Path

import pytest

from tidegate.model.errors import UsageError
from tidegate.queries.questions import QUESTIONS
from tidegate.reports.asking import own_question
from tidegate.reports.files import SHIPPED, find_report, names, parse_report, shipped, text_of
from tidegate.settings.document import parse_document


def parsed(text: str) -> object:
    return parse_report("mine", parse_document(text, "mine.yml"))


def test_a_folder_that_only_another_user_may_enter_has_none(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    closed = tmp_path / "closed"
    (closed / "reports").mkdir(parents=True)
    (closed / "reports" / "pings.yml").write_text("title: Theirs\n")
    closed.chmod(0o700)
    expected = shipped("pings")  # and read while we may: another user may not enter root's Python
    os.seteuid(65534)
    try:
        assert text_of("pings", [closed / "reports"]) == expected
        assert find_report("pings", [closed / "reports"]).title == "Pings"
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_ones_are_right(name: str) -> None:
    report = find_report(name, [])
    assert report.title
    assert report.sections
    asked = {question.name: question for question in QUESTIONS}
    for section in report.sections:
        if section.question:
            columns = asked[section.question].sql
            assert all(column in columns for column in (*section.key, *section.columns, *section.also))
    if report.figures:
        assert own_question("figures", report.figures).tables


def test_the_files_are_those_in_the_list() -> None:
    import tidegate.reports

    folder = Path(tidegate.reports.__file__).parent / "shipped"
    assert {path.stem for path in folder.glob("*.yml")} == set(SHIPPED)


def test_ones_own_come_first_and_are_listed(tmp_path: Path) -> None:
    (tmp_path / "pings.yml").write_text(shipped("pings").replace("title: Pings", "title: Mine"))
    (tmp_path / "other.yml").write_text("sections: [{question: names}]")
    (tmp_path / "Not A Name.yml").write_text("")
    assert find_report("pings", [tmp_path]).title == "Mine"
    assert find_report("other", [tmp_path]).window == "last 24h"
    assert find_report(str(tmp_path / "other.yml"), []).name == "other"
    assert names([tmp_path, tmp_path / "missing"]) == [*SHIPPED, "other"]
    assert "Mine" in text_of("pings", [tmp_path])


def test_what_is_no_file_is_no_report_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "folder.yml").mkdir()
    assert names([tmp_path]) == list(SHIPPED)
    with pytest.raises(UsageError, match="pipe.yml: not a file"):
        find_report(str(tmp_path / "pipe.yml"), [])
    with pytest.raises(UsageError, match="there are overnight"):
        find_report("folder", [tmp_path])


@pytest.mark.parametrize("name", ["", "ping", "../pings", "/etc/passwd", "a\nb", "x" * 1000])
def test_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        find_report(name, [tmp_path])
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: x", "a list of 1 to 30 sections"),
        ("sections: []", "a list of 1 to 30 sections"),
        ("sections: [x]", "mine.yml:1: a section is written as"),
        (
            "sections: [{question: names}]\nwindwo: x",
            'mine.yml:2: unknown key "windwo"; did you mean "window"?',
        ),
        ("sections:\n  - question: nmes", "mine.yml:2: question: there is no question"),
        ("sections:\n  - title: x", "needs question or sql"),
        ("sections:\n  - {question: names, sql: SELECT 1}", "needs question or sql"),
        ("sections:\n  - question: names\n    picture: pie", "mine.yml:3: picture: one of none, bars"),
        ("sections:\n  - question: names\n    picture: bars", "bars need key and value"),
        ("sections:\n  - question: traffic\n    picture: time", "time needs value"),
        ("sections:\n  - question: names\n    rows: many", "rows: a whole number"),
        ("sections:\n  - question: names\n    compare: 3", "compare: true or false"),
        ("sections:\n  - question: names\n    columns: {a: b}", "columns: a list of texts"),
        ("sections:\n  - question: names\n    set: [1]", "set: a group of names"),
        ("filter: 'nosuch:x'\nsections: [{question: names}]", "mine.yml:1: filter: "),
        ("limit: lots\nsections: [{question: names}]", "mine.yml:1: limit: "),
        ("reset_day: 32\nsections: [{question: names}]", "a day from 1 to 31"),
        ("window: now\nsections: [{question: names}]", 'mine.yml:1: window: "now" is no window: write '),
        ("title: [x]\nsections: [{question: names}]", "title: text is expected"),
        ("- x", "settings are written as"),
        ("{", "mine.yml"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, words: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parsed(text)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)

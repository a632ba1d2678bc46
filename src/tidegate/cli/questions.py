"""The named questions as a list, for people and for programs."""

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidegate.queries.question import Parameter, Question
    from tidegate.queries.sql import Answer

WIDTH = 80
INDENT = 20


def overview(questions: "Iterable[Question]") -> str:
    """A line or more per question: its name, what it answers, what only it can be given."""
    from tidegate.queries.question import EVERYWHERE

    asked = list(questions)
    marks = [" ".join(f"[{parameter.name}]" for parameter in question.own) for question in asked]
    lines = [
        _entry(question.name, f"{question.doc} {mark}") for question, mark in zip(asked, marks, strict=True)
    ]
    own = {
        parameter.name: f"{parameter.doc}, where marked" for question in asked for parameter in question.own
    }
    taken = {_with_default(parameter): parameter.doc for parameter in EVERYWHERE} | own
    given = [_entry(f"  {name}", doc) for name, doc in taken.items()]
    return "\n".join([*lines, "", "What can be set, with --set NAME=VALUE:", *given])


def as_rows(questions: "Iterable[Question]") -> "Answer":
    """The same as rows."""
    from tidegate.queries.sql import listed

    return listed(
        {"name": "VARCHAR", "answers": "VARCHAR", "tables": "VARCHAR[]", "parameters": "VARCHAR[]"},
        [
            (
                question.name,
                question.doc,
                list(question.tables),
                [_with_default(parameter) for parameter in question.parameters],
            )
            for question in questions
        ],
    )


def _with_default(parameter: "Parameter") -> str:
    return parameter.name if parameter.default is None else f"{parameter.name}={parameter.default}"


def _entry(head: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"{head:<{INDENT}}",
        subsequent_indent=" " * INDENT,
        break_on_hyphens=False,
    )

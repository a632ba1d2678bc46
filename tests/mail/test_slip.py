"""What is known of a letter, over any course of answers and failures; and whatever stands in its file."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.mail.errors import MailError
from tidegate.mail.server import Answer, Delivery
from tidegate.mail.slip import BrokenSlipError, Slip, after_delivery, after_failure, from_json
from tidegate.schedule.book import Book, BrokenBookError
from tidegate.schedule.book import from_json as book_of
from tidegate.schedule.spans import in_utc

TO = ("a@x.org", "b@x.org", "c@x.org")
NOON, DAY = 1_795_176_000.0, 86_400.0

verdicts = st.dictionaries(st.sampled_from(TO), st.sampled_from([250, 421, 450, 550, 554]))
failures = st.sampled_from(
    [
        TimeoutError("x"),
        MailError("535", True, 535, "login"),
        MailError("554", True, 554, "data"),
        MailError("552", True, 552, "mail"),
        MailError("gone", False, 0, "data"),
    ]
)
waits = st.sampled_from([0.0, 60.0, 3600.0, -DAY, 30 * DAY])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(verdicts | failures, waits), max_size=40))
def test_everybody_is_served_once_or_told_of(course: list[tuple[dict[str, int] | Exception, float]]) -> None:
    slip, now = Slip("m", "pings", "s", "pi@x.org", TO, NOON, 1), NOON
    handed: list[str] = []
    for step, wait in course:
        if slip.finished is not None:
            break
        before, now = slip, now + wait
        if isinstance(step, Exception):
            slip = after_failure(slip, step, 5 * DAY, now)
        else:
            delivery = Delivery()
            for address in slip.left:  # as the server is asked: only those who have no answer yet
                code = step.get(address, 250)
                if code == 250:
                    delivery.taken.append(address)
                else:
                    delivery.refused[address] = Answer(code, "said")
            handed += delivery.taken
            slip = after_delivery(slip, delivery, now)
        assert set(before.taken) <= set(slip.taken)
        assert slip.tries == before.tries + 1
        assert sorted([*slip.taken, *slip.refused, *slip.left]) == list(TO)
        assert (slip.finished is None) == (slip.state == "waiting")
        if slip.state in ("sent", "refused", "partly sent") and slip.left:
            assert now - slip.created > 5 * DAY  # given up for the others
        assert slip.finished is not None or slip.again > now
        assert from_json(slip.to_json()) == slip
    assert sorted(handed) == sorted(slip.taken)


@settings(max_examples=300, deadline=None)
@given(anything, st.sampled_from(["", "to", "taken", "refused", "created", "state", "finished", "more"]))
def test_whatever_stands_in_a_file_is_a_letter_or_said_to_be_none(value: Any, key: str) -> None:
    data = json.loads(Slip("m", "r", "s", "p", TO, NOON, 1).to_json())
    whole = {**data, key: value} if key else value
    for text in (json.dumps(whole).encode(), repr(value).encode()):
        try:
            slip = from_json(text)
        except BrokenSlipError:
            continue
        assert slip.left is not None
        assert in_utc(slip.created) and in_utc(slip.again) and in_utc(slip.finished or 0.0)
        assert slip.is_due(NOON) in (True, False)
        assert sorted([slip], key=lambda each: each.created)


@settings(max_examples=300, deadline=None)
@given(
    anything, st.sampled_from(["", "version", "identity", "entries", "at", "since", "runs", "slot", "again"])
)
def test_whatever_stands_in_a_book_is_one_or_said_to_be_none(value: Any, key: str) -> None:
    run = {
        "slot": 1.0,
        "state": "made",
        "tries": 1,
        "started": 1.0,
        "finished": None,
        "again": 0.0,
        "said": "",
    }
    entry = {"at": "x", "since": 1.0, "runs": [{**run, "message_id": "", key: value}], key: value}
    for data in (value, {"version": 1, "identity": "x", "entries": {"pings": entry}, key: value}):
        try:
            book = book_of(data)
        except BrokenBookError:
            continue
        assert isinstance(book, Book)
        json.dumps(book.to_json())
        for made in book.entries.values():
            in_utc(made.since)
            assert all(in_utc(each.slot) for each in made.runs)

"""What answers mean: whatever a server says, every document is settled once, and none is forgotten."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.sinks.elastic.documents import Document, body, document, split
from tidegate.sinks.elastic.server import Answer, ServerError
from tidegate.sinks.elastic.verdict import Delivery, judge

BEHAVIOURS = ["taken", "there", "refused", "busy", "poison", "huge"]


def made(kinds: list[str]) -> list[Document]:
    return [
        document(
            "s",
            number,
            b"%d" % number,
            json.dumps({"n": number, "is": kind, "x": "y" * 900 * (kind == "huge")}).encode(),
        )
        for number, kind in enumerate(kinds)
    ]


class Played:
    """A server that takes requests up to a size, and of each document what it is."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.busy: Counter[int] = Counter()
        self.took: Counter[int] = Counter()

    def answer(self, documents: list[Document]) -> Answer:
        assert documents
        sources = [json.loads(each.source) for each in documents]
        if len(body(documents)) > self.largest:
            return Answer(413, b"<html>")
        if any(each["is"] == "poison" for each in sources):
            return Answer(400, b'{"error":{"type":"parse_exception","reason":"no"}}')
        items = [{"create": self.item(each)} for each in sources]
        return Answer(200, json.dumps({"items": items}).encode())

    def item(self, source: dict[str, Any]) -> dict[str, Any]:
        number, kind = source["n"], source["is"]
        if kind == "busy" and self.busy[number] < 3:
            self.busy[number] += 1
            return {"status": 429, "error": {"type": "rejected", "reason": "busy"}}
        if kind == "refused":
            return {"status": 400, "error": {"type": "mapping", "reason": "no"}}
        if kind == "there":
            return {"status": 409, "error": {"type": "conflict", "reason": "is there"}}
        self.took[number] += 1
        return {"status": 201}


@given(
    st.lists(st.sampled_from(BEHAVIOURS), max_size=40),
    st.integers(100, 8000),
    st.integers(700, 8000),
    st.booleans(),
)
def test_every_document_is_settled_once(kinds: list[str], limit: int, largest: int, drops: bool) -> None:
    server = Played(largest)
    delivery = Delivery(made(kinds), limit)
    asked = 0
    while delivery.left:
        asked += 1
        assert asked < 50 + 40 * len(kinds)
        if drops and asked % 3 == 0:
            delivery.shrink()  # no answer: the same again, or less of it
            continue
        delivery.take(server.answer(delivery.next()))
    wanted = Counter(kinds)
    fits = [each for each in made(kinds) if each.size <= largest]
    huge = sum(json.loads(each.source)["is"] == "huge" for each in fits)
    assert delivery.sent == wanted["taken"] + wanted["busy"] + huge
    assert delivery.there == wanted["there"]
    assert len(delivery.refused) == wanted["refused"] + wanted["poison"] + wanted["huge"] - huge
    assert set(server.took.values()) <= {1}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, b""),
        (200, b"[]"),
        (200, b'{"items":{}}'),
        (200, b'{"items":[]}'),
        (200, b'{"items":[{}]}'),
        (200, b'{"items":[{"create":[]}]}'),
        (200, b'{"items":[{"create":{"status":"201"}}]}'),
        (200, b"[" * 100_000),
        (204, b""),
        (302, b"<html>"),
        (401, b'{"error":{"reason":7}}'),
        (500, b'{"error":"text"}'),
        (503, b'{"error":["list"]}'),
    ],
)
def test_an_answer_that_says_nothing_settles_nothing(status: int, said: bytes) -> None:
    with pytest.raises(ServerError):
        judge(made(["taken"]), Answer(status, said))


def test_what_a_server_says_is_made_safe_and_short() -> None:
    error = {"type": "\x1b[31mx" * 100, "reason": "\n\u202e[/foo]" * 1000}
    answer = Answer(200, json.dumps({"items": [{"create": {"status": 400, "error": error}}]}).encode())
    (refused,) = judge(made(["taken"]), answer).refused
    assert (refused.kind + refused.reason).isprintable()
    assert len(refused.kind) <= 80
    assert len(refused.reason) <= 300


@given(st.lists(st.integers(0, 500)), st.integers(1, 1000))
def test_parts_are_of_their_size(lengths: list[int], limit: int) -> None:
    documents = [document("s", 0, b"", b"x" * length) for length in lengths]
    parts = list(split(documents, limit))
    assert [each for part in parts for each in part] == documents
    assert all(len(part) == 1 or len(body(part)) <= limit for part in parts)

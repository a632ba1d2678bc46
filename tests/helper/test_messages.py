"""The helper's grammar: a few fixed questions, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.helper.messages import (
    QUESTION,
    Bind,
    Lookup,
    PacketSocket,
    Records,
    Refused,
    State,
    encode,
    parse,
)


@pytest.mark.parametrize(
    ("message", "question"),
    [
        (b'{"ask":"packet","kind":"raw"}', PacketSocket("raw")),
        (b'{"ask":"packet","kind":"cooked"}', PacketSocket("cooked")),
        (b'{"ask":"bind","protocol":"tcp","address":"::","port":443}', Bind("tcp", "::", 443)),
        (b'{"ask":"bind","protocol":"udp","address":"127.0.0.1","port":53}', Bind("udp", "127.0.0.1", 53)),
        (
            b'{"ask":"lookup","proto":"tcp","local_ip":"::1","local_port":5,"remote_ip":null,"remote_port":0}',
            Lookup("tcp", "::1", 5, None, 0),
        ),
        (
            b'{"ask":"lookup","proto":"udp","local_ip":"1.2.3.4","local_port":65535,"remote_ip":"5.6.7.8",'
            b'"remote_port":53}',
            Lookup("udp", "1.2.3.4", 65535, "5.6.7.8", 53),
        ),
        (b'{"ask":"records"}', Records()),
        (b'{"ask": "state"}', State()),
    ],
)
def test_these_are_the_questions(message: bytes, question: object) -> None:
    assert parse(message) == question


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"ask":"shell"}',
        b'{"ask":"packet"}',
        b'{"ask":"packet","kind":"stream"}',
        b'{"ask":"packet","kind":["raw"]}',
        b'{"ask":"packet","kind":"raw","kind":"raw"}',
        b'{"ask":"packet","kind":"raw","more":1}',
        b'{"ask":"bind","protocol":"tcp","address":"fe80::1%\\u0000","port":80}',
        b'{"ask":"bind","protocol":"tcp","address":"fe80::1%\\u00e9..","port":80}',
        b'{"ask":"lookup","proto":"tcp","local_ip":"fe80::1%\\ud800","local_port":5,"remote_ip":null,"remote_port":0}',
        b'{"ask":"bind","protocol":"tcp","address":"::","port":"1"}',
        b'{"ask":"bind","protocol":"tcp","address":"::","port":1.0}',
        b'{"ask":"bind","protocol":"tcp","address":"::","port":true}',
        b'{"ask":"bind","protocol":"tcp","address":"::","port":-1}',
        b'{"ask":"bind","protocol":"tcp","address":"::","port":99999999999999999999}',
        b'{"ask":"bind","protocol":"tcp","address":"localhost","port":80}',
        b'{"ask":"bind","protocol":"tcp","address":"../../etc","port":80}',
        b'{"ask":"bind","protocol":"tcp","address":"::","port":1024}',
        b'{"ask":"bind","protocol":"tcp","address":"::","port":0}',
        b'{"ask":"bind","protocol":"raw","address":"::","port":80}',
        b'{"ask":"records","path":"/"}',
        b'{"ask":"lookup","proto":"tcp","local_ip":"x","local_port":5,"remote_ip":null,"remote_port":0}',
        b'{"ask":"lookup","proto":"tcp","local_ip":"::","local_port":65536,"remote_ip":null,"remote_port":0}',
        b'{"ask":"lookup","proto":"tcp","local_ip":"::","local_port":5,"remote_ip":"/","remote_port":0}',
        b'{"ask":"lookup","proto":"tcp","local_ip":"::","local_port":5}',
        b"[" * QUESTION,
        b'{"a":' * 100,
        b'{"ask":"state"}' + b" " * QUESTION,
    ],
)
def test_anything_else_is_refused(message: bytes) -> None:
    with pytest.raises(Refused):
        parse(message)


@given(st.binary(max_size=600))
def test_no_bytes_do_more_than_be_refused(message: bytes) -> None:
    try:
        parse(message)
    except Refused:
        return
    assert json.loads(message)["ask"] in {"packet", "bind", "records", "lookup", "state"}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
_KEYS = st.sampled_from(["ask", "kind", "protocol", "address", "port", "x"])


@given(st.dictionaries(_KEYS, _VALUES | st.sampled_from(["packet", "raw", "bind", "tcp", "::"])))
def test_no_object_does_either(fields: dict[str, object]) -> None:
    try:
        question = parse(encode(fields))
    except Refused:
        return
    known = {PacketSocket: 2, Bind: 4, Lookup: 6, Records: 1, State: 1}
    assert len(fields) == known[type(question)]

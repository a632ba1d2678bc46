"""The helper's grammar: a few fixed questions, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.helper.messages import (
    MAX_RANGES,
    MAX_SPARED,
    QUESTION,
    Alter,
    Bind,
    Lookup,
    PacketSocket,
    Records,
    Refused,
    Release,
    State,
    Steer,
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
        (
            b'{"ask":"steer","by":"sk_lookup","address":"::","ports":[[1,21],[23,65535]],"spared":[["::1",80]],'
            b'"sockets":1}',
            Steer("sk_lookup", "::", ((1, 21), (23, 65_535)), (("::1", 80),), 1),
        ),
        (
            b'{"ask":"alter","steering":7,"ports":[[80,80]],"spared":[]}',
            Alter(7, ((80, 80),), ()),
        ),
        (b'{"ask":"release","steering":7}', Release(7)),
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
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2]],"spared":[],"sockets":0}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2]],"spared":[],"sockets":65}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2]],"spared":[],"sockets":true}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[0,2]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[2,1]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,65536]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[5,6],[6,7]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2,3]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[["1","2"]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":"1-2","spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2]],"spared":[["x",1]],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2]],"spared":[["::1",0]],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"fe80::1%a;b","ports":[[1,2]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2]],"spared":[["::1%}",1]],"sockets":1}',
        b'{"ask":"steer","by":"iptables","address":"::","ports":[[1,2]],"spared":[],"sockets":1}',
        b'{"ask":"steer","by":"tproxy","address":"::","ports":[[1,2]],"spared":[],"sockets":1,"fd":3}',
        b'{"ask":"alter","steering":0,"ports":[[1,2]],"spared":[]}',
        b'{"ask":"alter","steering":1,"ports":[],"spared":[]}',
        b'{"ask":"alter","steering":1,"ports":[[1,2]],"spared":[],"address":"::"}',
        b'{"ask":"release"}',
        b'{"ask":"release","steering":"1"}',
        b'{"ask":"release","steering":-1}',
        b'{"ask":"release","steering":99999999999999999999}',
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
    assert json.loads(message)["ask"] in {
        "packet",
        "bind",
        "records",
        "lookup",
        "state",
        "steer",
        "alter",
        "release",
    }


def test_the_longest_question_fits() -> None:
    ports = tuple((60_000 + 2 * n, 60_000 + 2 * n) for n in range(MAX_RANGES))
    spared = tuple(
        (f"2001:db8:1111:2222:3333:4444:5555:{n:04x}", 60_000) for n in range(4096, 4096 + MAX_SPARED)
    )
    fields = {"ask": "steer", "by": "sk_lookup", "address": "2001:db8:1111:2222:3333:4444:5555:6666",
              "ports": ports, "spared": spared, "sockets": 64}  # fmt: skip
    assert len(encode(fields)) <= QUESTION
    question = parse(encode(fields))
    assert isinstance(question, Steer)
    assert (question.ports, question.spared) == (ports, spared)
    for too_many in ({"ports": (*ports, (65_535, 65_535))}, {"spared": (*spared, ("::1", 1))}):
        with pytest.raises(Refused, match="too many"):
            parse(encode(fields | too_many))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
_KEYS = st.sampled_from(["ask", "kind", "protocol", "address", "port", "ports", "steering", "x"])


@given(st.dictionaries(_KEYS, _VALUES | st.sampled_from(["packet", "raw", "bind", "tcp", "::", "release"])))
def test_no_object_does_either(fields: dict[str, object]) -> None:
    try:
        question = parse(encode(fields))
    except Refused:
        return
    known = {PacketSocket: 2, Bind: 4, Lookup: 6, Records: 1, State: 1, Steer: 6, Alter: 4, Release: 2}
    assert len(fields) == known[type(question)]

"""The named questions: each right on rows we know, the same over a store and over batches."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

import talk
import tidegate
from talk import HOSTILE, RESOLVER, SERVER, A, B
from tidegate import queries
from tidegate.model.errors import CaptureError, StoreError, UsageError
from tidegate.model.tables import find_table
from tidegate.queries import questions
from tidegate.queries.gathered import over_batches
from tidegate.queries.question import Question
from tidegate.queries.questions import QUESTIONS, find_question

EARLY, NOON, LATE = (datetime(2026, 11, 20, hour) for hour in (10, 12, 14))
MOST = 2**63 - 1
OLD, OLDER = datetime(2002, 1, 1), datetime(2001, 1, 1)
SITE = "www.example.org"

ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "talkers": [
        (A, None, 5, 7, 160, 900, 1060),
        (SERVER, SITE, 2, 7, 900, 110, 1010),
        (RESOLVER, None, 1, 0, 0, 60, 60),
        (B, None, 2, 0, 10, 0, 10),
        ("192.0.2.9", None, 3, 0, 0, 0, 0),
        ("239.255.255.250", None, 1, 0, 0, 0, 0),
    ],
    "names": [
        (SITE, ["dns", "sni"], ["tls"], 2, 2, 110, 900, 1010, LATE),
        (RESOLVER, None, ["dns"], 1, 1, 60, 0, 60, EARLY),
        ("192.0.2.9", None, None, 3, 2, 0, 0, 0, LATE),
        ("239.255.255.250", None, None, 1, 1, 0, 0, 0, EARLY),
    ],
    "new-hosts": [
        ("192.0.2.9", NOON, LATE, 3, A, None, 0),
        (RESOLVER, EARLY, EARLY, 1, A, ["dns"], 60),
        ("239.255.255.250", EARLY, EARLY, 1, A, None, 0),
        (SITE, EARLY, LATE, 2, A, ["tls"], 1010),
    ],
    "places": [("DE", 64500, "Example Net", ["Bonn", "Köln"], 1, 2, 110, 900, 1010)],
    "services": [
        ("tls", "tcp", 443, 1, 1, 7, 1000),
        ("dns", "udp", 53, 1, 1, 0, 60),
        (None, "tcp", 443, 1, 1, 0, 10),
        (None, "tcp", 22, 3, 2, 0, 0),
        (None, "udp", 1900, 1, 1, 0, 0),
    ],
    "protocols": [("tcp", 5, 7, 1010), ("udp", 2, 0, 60)],
    "states": [("S0", 3, 0, 0), ("SF", 2, 7, 1060), ("REJ", 1, 0, 0), ("S1", 1, 0, 10)],
    "failed-connections": [
        (A, "192.0.2.9", 22, "tcp", None, "no answer", 2, NOON, LATE),
        (B, "192.0.2.9", 22, "tcp", None, "refused", 1, LATE, LATE),
    ],
    "losses": [(7, 5, 2)],
    "http-hosts": [
        ("api.example", 4, 2, 1, 1, 125, 0.2, 0.3),
        (SERVER, 1, 1, 0, 0, 0, 0.01, 0.01),
        (HOSTILE.lower(), 1, 1, 1, 0, MOST, 9.0, 9.0),
    ],
    "http-sections": [
        ("api.example", "/v1", 2, 1, ["GET"], 105, 0.2),
        (SERVER, "/", 1, 0, ["GET"], 0, 0.01),
        ("api.example", "/", 1, 0, ["GET"], 0, None),
        ("api.example", "/login", 1, 0, ["POST"], 20, 0.2),
        (HOSTILE.lower(), "/" + HOSTILE, 1, 1, ["GET"], MOST, 9.0),
    ],
    "http-methods": [
        ("api.example", "GET", 3, 1, 0.2),
        (SERVER, "GET", 1, 0, 0.01),
        ("api.example", "POST", 1, 0, 0.2),
        (HOSTILE.lower(), "GET", 1, 1, 9.0),
    ],
    "http-status": [
        ("api.example", 200, "OK", 2, pytest.approx(0.15), LATE),
        (SERVER, 200, None, 1, 0.01, LATE),
        ("api.example", 404, "Not Found", 1, 0.3, NOON),
        ("api.example", None, None, 1, None, LATE),
        (HOSTILE.lower(), 500, None, 1, 9.0, LATE),
    ],
    "http-slow": [
        (LATE, A, HOSTILE.lower(), "GET", "/" + HOSTILE, 500, 9.0, "C1"),
        (NOON, A, "api.example", "GET", "/v1/y", 404, 0.3, "C1"),
        (LATE, A, "api.example", "POST", "/login", 200, 0.2, "C1"),
        (EARLY, A, "api.example", "GET", "/v1/x", 200, 0.1, "C1"),
        (LATE, A, SERVER, "GET", "/", 200, 0.01, "C1"),
    ],
    "tls-names": [
        (SITE, 2, 2, 1, 1, 0, ["TLSv1.3"], ["q13d1", "t13d1"]),
        ("old.example", 1, 1, 0, 0, 0, ["TLSv1.0"], ["t13d1"]),
    ],
    "tls-versions": [
        ("TLSv1.0", None, "tcp", 1, 1, 1, 0),
        ("TLSv1.3", None, "quic", 1, 1, 1, 0),
        ("TLSv1.3", None, "tcp", 1, 1, 1, 1),
        (None, "TLSv1.2", "tcp", 1, 1, 1, 0),
    ],
    "tls-old": [
        ("old.example", 8443, "old version, expired, self-signed", "TLSv1.0", "CN=old", "CN=old", OLDER, OLD,
         ["192.0.2.3"], 1, NOON),
    ],
    "ja4": [
        ("t13d1", 2, 1, 2, ["old.example", SITE], EARLY, NOON),
        ("q13d1", 1, 1, 1, [SITE], LATE, LATE),
        ("t12d1", 1, 1, 1, None, LATE, LATE),
    ],
    "dns-queries": [
        ("example.org", 3, 1, ["A", "AAAA"], 0, 1, 0.02),
        (HOSTILE.lower(), 1, 1, ["A"], 1, 0, 0.02),
        ("printer.local", 1, 1, ["PTR"], 0, 0, None),
    ],
    "dns-failures": [
        (HOSTILE.lower(), "NXDOMAIN", 1, 1, [RESOLVER], LATE),
        ("example.org", "unanswered", 1, 1, [RESOLVER], LATE),
    ],
    "dns-slow": [
        (LATE, A, RESOLVER, "example.org", "AAAA", "NOERROR", 0.03, ""),
        (LATE, A, RESOLVER, HOSTILE.lower(), "A", "NXDOMAIN", 0.02, ""),
        (EARLY, A, RESOLVER, "example.org", "A", "NOERROR", 0.01, ""),
    ],
    "dns-servers": [(RESOLVER, 4, 1, 1, 1, 0.02, 0.03)],
    "pings": [(A, SERVER, 3, 2, 1, 0.01, 0.02, 0.03)],
    "icmp-errors": [
        ("unreachable", "host", "10.0.0.254", A, SERVER, 443, "tcp", SITE, "tls", 1, LATE)
    ],
    "ssh-versions": [
        ("server", "SSH-2.0-srv", 2, 1, SERVER, LATE),
        ("client", "SSH-2.0-x", 1, 1, A, EARLY),
    ],
    "alerts": [
        ("a2", "scan", HOSTILE, "critical", "raised", LATE, None, None, 6.0, 5.0, HOSTILE, "distinct_ports"),
        ("a1", "http-traffic", None, "warning", "recovered", EARLY, NOON, 7200.0, 9.0, 7.0, "over",
         "http_messages"),
    ],
    "alert-rules": [
        ("http-traffic", "http_messages", 1, 0, None, 7200.0, 9.0, NOON),
        ("scan", "distinct_ports", 1, 1, [HOSTILE], None, 6.0, LATE),
    ],
    "programs": [(None, 7, 4, None, 1070)],
    "new-since": [
        (SITE, EARLY, 2, A, None, ["tls"], 1010),
        (RESOLVER, EARLY, 1, A, None, ["dns"], 60),
        ("192.0.2.9", NOON, 3, A, None, None, 0),
        ("239.255.255.250", EARLY, 1, A, None, None, 0),
    ],
    "traffic": [  # 1,000 bytes spread over four hours; the first 20 stretches of ten minutes
        (EARLY, 3, 102),
        *((EARLY + timedelta(minutes=10 * each), int(each == 12), 42) for each in range(1, 20)),
    ],
    "requests": [(EARLY, 1, 0, 0.1), (NOON, 1, 1, 0.3), (LATE, 4, 1, 0.2)],
    "ping-sources": [(A, 3, 1, 2, 1, 0.02, EARLY, LATE)],
    "relay-services": [("web", 2, 1, 2, 1, 42, 60, 3.0), ("ssh", 0, 1, 1, 0, 0, 0, None)],
    "relay-refused": [("ssh", "rate", 1, 1, B, LATE, LATE), ("web", "rate", 1, 1, B, NOON, NOON)],
    "relay-sources": [
        (None, None, None, 1, 2, 1, B, 2),
        ("DE", 64500, "Example Net", 1, 0, 1, A, 100),
    ],
    "relay-protocols": [
        ("http", 1, 1, 1, ["80"], ["pages"], 0.1),
        (None, 1, 1, 1, ["8080"], None, 0.3),
    ],
    "relay-payloads": [
        (HOSTILE, 1, 1, ["80"], 40, NOON, "aa"),
        ("=1", 1, 1, ["8080"], 2, LATE, "bb"),
    ],
    "drops": [("eth0", 35, 4500, 2, 0, 0, 1, 1, 5), ("engine", 0, 0, 0, 3, 4, 0, 0, 0)],
    "gaps": [(EARLY, NOON, 7200.0), (NOON, LATE, 7200.0)],
}  # fmt: skip
"""The answer of every question over the rows of talk.py."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talk.store(tmp_path_factory.mktemp("talk") / "store")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    talk.TableRows("health").save(tmp_path / "empty")
    return tmp_path / "empty"


def by_name(question: Question) -> str:
    return question.name


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_the_answer_is_right(question: Question, store: Path) -> None:
    assert list(question(store)) == ANSWERS[question.name]


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_rows_that_pass_by_give_the_same_answer(question: Question) -> None:
    assert list(over_batches(question, talk.everything(), {})) == ANSWERS[question.name]


def test_what_has_only_begun_has_not_failed(tmp_path: Path) -> None:
    begun = {"uid": "C1", "dst_ip": SERVER, "proto": "tcp", "conn_state": "S0", "ts": NOON.isoformat()}
    talk.Conns().add(**begun, last_ts=NOON.isoformat(), state="active").save(tmp_path / "store")
    assert list(find_question("failed-connections")(tmp_path / "store")) == []


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_without_rows_there_is_an_empty_answer(question: Question, empty: Path) -> None:
    answer = question(empty)
    assert answer.columns
    assert list(answer) == ([(0, 0, 0)] if question.name == "losses" else [])


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_the_answer_is_arrow_of_plain_types(question: Question, store: Path) -> None:
    answer = question(store)
    described = duckdb.connect().from_arrow(answer)
    assert described.columns == answer.columns
    assert {str(kind) for kind in described.types} <= {
        "VARCHAR", "VARCHAR[]", "BIGINT", "DOUBLE", "USMALLINT", "TIMESTAMP_NS",
    }  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_every_question_has_a_limit_and_a_window(question: Question, store: Path) -> None:
    assert len(question(store, limit=1)) == 1
    assert len(question(store, until="2026-11-20T00:00")) == (question.name == "losses")
    # An alert that is open is so, however long ago it was raised.
    assert len(question(store, since="2026-11-21T00:00")) == (question.name in ("losses", "alerts"))
    found = list(question(store, since="2026-11-20", until="2026-11-21"))
    # Where a window is given, it is a gap too if nobody looked at its beginning or its end.
    assert (found[1:-1] if question.name == "gaps" else found) == ANSWERS[question.name]


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_what_a_question_is_made_of(question: Question) -> None:
    """Its file, its place among the functions, its words, and no column that a table lacks."""
    place = question.name.replace("-", "_")
    assert getattr(questions, place).QUESTION is question
    assert getattr(queries, place) is question
    assert place in dir(queries)
    assert question.doc
    assert "\n" not in question.doc
    for table in question.tables:
        assert set(question.columns(table)) <= {column.name for column in find_table(table).columns}


def test_the_list_is_complete() -> None:
    folder = Path(questions.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == {question.name.replace("-", "_") for question in QUESTIONS}
    assert len({question.name for question in QUESTIONS}) == len(QUESTIONS)
    assert set(dir(queries)) == files


def test_a_connection_belongs_to_every_window_it_lasts_into(store: Path) -> None:
    during = list(queries.names(store, since="2026-11-20 12:30", until="2026-11-20 13:00"))
    assert [row[0] for row in during] == [SITE]


def test_who_was_seen_before_is_not_new(store: Path) -> None:
    assert [row[0] for row in queries.new_hosts(store, since="2026-11-20 11:00")] == ["192.0.2.9"]


def test_who_was_there_the_window_before_is_not_new(store: Path) -> None:
    window = {"since": "2026-11-20 13:00", "until": "2026-11-20 15:00"}
    assert list(queries.new_since(store, **window)) == []
    new = queries.new_since(store, **window, before="2026-11-20 12:30")
    assert [row[0] for row in new] == ["192.0.2.9"]


def test_traffic_is_cut_to_the_window(store: Path) -> None:
    window = {"since": "2026-11-20 13:00", "until": "2026-11-20 15:00"}
    found = list(queries.traffic(store, **window, step=3600))
    assert found == [(NOON + timedelta(hours=1), 0, 250), (LATE, 3, 10)]
    east = list(queries.traffic(store, since="2026-11-20 12:45", until="2026-11-20 13:45", step=3600))
    assert east == [(NOON + timedelta(minutes=45), 0, 250)]


def test_addresses_that_do_not_count(store: Path) -> None:
    assert list(queries.ping_sources(store, without=f"192.0.2.77,{A}")) == []
    assert len(list(queries.ping_sources(store, without="10.0.0"))) == 1


def test_what_the_relay_lost_is_no_capture(tmp_path: Path) -> None:
    rows = talk.TableRows("health")
    none: dict[str, talk.Value] = {"key": [], "value": []}
    for minute in range(60):
        rows.add(ts=f"2026-11-20 10:{minute:02}:00", source="relay", malformed=none, not_ip=none)
    rows.save(tmp_path / "store")
    found = list(queries.gaps(tmp_path / "store", since="2026-11-20 10:00", until="2026-11-20 11:00"))
    assert [row[2] for row in found] == [3600.0]


def test_when_nobody_looked(store: Path) -> None:
    found = list(queries.gaps(store, since="2026-11-20 09:00", until="2026-11-20 14:00:10"))
    assert [row[2] for row in found] == [3600.0, 7200.0, 7200.0]
    assert next(iter(queries.gaps(store, since="2026-11-21", until="2026-11-21 01:00")))[2] == 3600.0


def test_one_site_alone(store: Path) -> None:
    assert [row[1] for row in queries.http_methods(store, host="API.example")] == ["GET", "POST"]
    assert list(queries.http_sections(store, host="nobody")) == []


@pytest.mark.parametrize("text", [HOSTILE, "' OR 1=1 --", "$limit", "\\x00", "ä\u202e", "%"])
def test_a_value_is_never_sql(store: Path, text: str) -> None:
    found = {row[0] for row in queries.http_status(store, host=text)}
    assert found <= {HOSTILE.lower()}
    assert bool(found) == (text == HOSTILE)


def test_moments_in_other_zones_and_relative_ones(store: Path) -> None:
    east = timezone(timedelta(hours=5))
    for since in (
        datetime(2026, 11, 20, 13, tzinfo=UTC),
        datetime(2026, 11, 20, 18, tzinfo=east),
        "2026-11-20T18:00+05:00",
    ):
        assert next(iter(queries.pings(store, since=since)))[2] == 1
    assert list(queries.pings(store, until="36000d")) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"limit": 0}, "limit: a number from 1"),
        ({"limit": "-1"}, "limit: a number from 1"),
        ({"limit": "many"}, "limit: a number from 1"),
        ({"limit": "9" * 40}, "limit: a number from 1"),
        ({"limit": True}, "limit: a number from 1"),
        ({"limit": "1; DROP TABLE http"}, "limit: a number from 1"),
        ({"limit": "\u0661"}, "limit: a number from 1"),
        ({"since": "yesterday"}, 'since: "yesterday" is no time'),
        ({"since": "2026-13-01"}, "is no time"),
        ({"until": "9999-01-01"}, "is out of range"),
        ({"until": datetime(9999, 1, 1)}, "is out of range"),
        ({"until": "0001-01-01T00:00+14:00"}, "time"),
        ({"host": "\udcff"}, "host: a text in UTF-8"),
        ({"host": "a\0b"}, "host: a text in UTF-8"),
        ({"host": 7}, "host: a text in UTF-8"),
        ({"hosts": "x"}, 'has no parameter "hosts"; it has host, since, until, limit'),
    ],
)
def test_a_wrong_value_is_one_line(values: dict[str, Any], words: str, store: Path, capture: Path) -> None:
    for ask in (
        lambda: queries.http_status(store, **values),
        lambda: queries.http_status(capture=capture, **values),
        lambda: tidegate.ask("http-status", store, **values),
        lambda: tidegate.read(capture).ask("http-status", **values),
    ):
        with pytest.raises(UsageError) as refusal:
            ask()
        assert words in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_a_wrong_name_says_which_is_meant() -> None:
    with pytest.raises(UsageError, match="did you mean http-hosts"):
        find_question("http-host")
    with pytest.raises(UsageError, match="tidegate query --list"):
        find_question("\n" * 1000)


def test_over_captures(capture: Path, tmp_path: Path) -> None:
    twice = queries.protocols(capture=[capture, capture])
    once = queries.protocols(capture=str(capture))
    assert [row[0] for row in once] == ["tcp", "udp"]
    assert len(twice) == 2
    assert next(iter(tidegate.read(capture, "udp").ask("protocols", limit=5)))[:2] == ("udp", 2)
    with pytest.raises(UsageError, match="give one"):
        queries.protocols(tmp_path, capture=capture)
    with pytest.raises(CaptureError, match="missing"):
        queries.protocols(capture=tmp_path / "missing.pcap")
    with pytest.raises(StoreError, match="no store here yet"):
        queries.protocols(tmp_path)


def test_importing_the_questions_loads_no_database() -> None:
    check = "import sys; from tidegate.queries import http_hosts; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_a_question_can_be_asked_of_the_rows_that_a_filter_wants(store: Path) -> None:
    def names(only: str) -> set[object]:
        return {row[0] for row in tidegate.ask("talkers", store, only=only)}

    everybody = names("")
    assert names(f"net:{B}") < everybody
    assert B in names(f"net:{B}")
    assert names("dport:1") == set()
    assert names("-dport:1") == everybody


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_filter_fits_every_question(store: Path, question: Question) -> None:
    wanted = "-net:203.0.113.0/24 -port:1,7-9,>60000 -host:/^none$/ -prog:x*"
    assert list(tidegate.ask(question.name, store, only=wanted)) == list(tidegate.ask(question.name, store))

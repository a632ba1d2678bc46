"""`tidegate query` and `tidegate tables`, as a user runs them."""

import json
from pathlib import Path

import duckdb
import pytest

import talk
import tidegate
from helpers import Run
from rows import Conns


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    conns = (
        Conns().add(uid="C1", state="closed", dst_port=443).add(uid="C2", state="active", src_ip="\x1b[2J")
    )
    conns.save(root, "20261120T100000000000-00000001")
    return root


def test_an_answer_in_each_format(run: Run, store: Path, tmp_path: Path) -> None:
    ask = ["query", "SELECT uid, dst_port FROM conn ORDER BY uid", "--store", store]
    assert run(*ask).stdout == "uid\tdst_port\nC1\t443\nC2\t0\n"
    assert run(*ask, "--format", "csv").stdout == "uid,dst_port\nC1,443\nC2,0\n"
    rows = [json.loads(line) for line in run(*ask, "--format", "jsonl").stdout.splitlines()]
    assert rows == [{"uid": "C1", "dst_port": 443}, {"uid": "C2", "dst_port": 0}]
    assert run(*ask, "--format", "table").stdout == "uid  dst_port\nC1        443\nC2          0\n"
    assert run(*ask, "-o", "answer.parquet").returncode == 0
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/answer.parquet'").fetchall() == [(2,)]


def test_no_escape_sequence_reaches_the_table(run: Run, store: Path) -> None:
    done = run("query", "SELECT src_ip FROM conn WHERE uid = 'C2'", "--store", store, "--format", "table")
    assert "\x1b" not in done.stdout
    assert "x1b[2J" in done.stdout


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nope FROM conn", "nope"),
        ("SELEC 1", "syntax error"),
        ("COPY conn TO 'x'", "only SELECT"),
        ("SELECT * FROM read_text('/etc/passwd')", "/etc/passwd"),
    ],
)
def test_a_mistake_in_sql_is_one_line_and_usage(run: Run, store: Path, sql: str, words: str) -> None:
    done = run("query", sql, "--store", store)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.startswith("tidegate: SQL: ")
    assert len(done.stderr.splitlines()) == 1


def test_no_store_yet(run: Run) -> None:
    done = run("query", "SELECT 1", "--store", "nowhere")
    assert done.returncode == 1
    assert "start one with: tidegate watch" in done.stderr


def test_tables_and_their_columns(run: Run) -> None:
    assert run("tables").stdout.startswith("conn ")
    columns = run("tables", "conn").stdout
    assert "up_bytes" in columns
    assert "IP bytes from the opener" in columns
    assert all(len(line) <= 80 for line in columns.splitlines())
    assert run("tables", "nope").returncode == 2


@pytest.fixture
def talked(tmp_path: Path) -> Path:
    return talk.store(tmp_path / "talked")


def test_a_named_question_in_each_format(run: Run, talked: Path, tmp_path: Path) -> None:
    ask = [
        "query",
        "--named",
        "http-methods",
        "--store",
        talked,
        "--set",
        "limit=1",
        "--set",
        "host=api.example",
    ]
    assert run(*ask).stdout == "host\tmethod\trequests\terrors\tmedian_latency\napi.example\tGET\t3\t1\t0.2\n"
    assert json.loads(run(*ask, "--format", "jsonl").stdout)["requests"] == 3
    assert run(*ask, "--format", "table").stdout.splitlines()[1].split() == [
        "api.example",
        "GET",
        "3",
        "1",
        "0.2",
    ]
    assert run(*ask, "-o", "answer.parquet").returncode == 0
    assert duckdb.sql(f"SELECT requests FROM '{tmp_path}/answer.parquet'").fetchall() == [(3,)]


def test_a_named_question_of_captures(run: Run, capture: Path) -> None:
    done = run(
        "query", "--named", "protocols", "-r", capture, "-r", capture, "-f", "udp", "--format", "jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["proto"] for line in done.stdout.splitlines()] == ["udp"]
    with capture.open("rb") as stdin:
        done = run("query", "--named", "protocols", "-r", "-", stdin=stdin)
    assert len(done.stdout.splitlines()) == 3


def test_a_capture_that_is_cut_off_is_a_warning(run: Run, capture: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(capture.read_bytes()[:-10])
    done = run("query", "--named", "protocols", "-r", cut)
    assert done.returncode == 0
    assert "warning" in done.stderr


def test_the_list_is_for_people_and_for_programs(run: Run) -> None:
    done = run("query", "--list")
    assert done.returncode == 0, done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    names = [question.name for question in tidegate.questions()]
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith(tuple(names))] == names
    rows = [json.loads(line) for line in run("query", "--list", "--format", "jsonl").stdout.splitlines()]
    assert [row["name"] for row in rows] == names
    sections = next(row for row in rows if row["name"] == "http-sections")
    assert sections["parameters"] == ["host", "since", "until", "limit=20"]
    assert sections["tables"] == ["http"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "one question at a time"),
        (["SELECT 1", "--named", "names"], 2, "one question at a time"),
        (["--named", "names", "--list"], 2, "one question at a time"),
        (["--named", "name"], 2, "did you mean names?"),
        (["--named", ""], 2, "no question"),
        (["--named", "names", "--set", "limit"], 2, "write NAME=VALUE"),
        (["--named", "names", "--set", "limit=x"], 2, "limit: a number"),
        (["--named", "names", "--set", "since=x"], 2, "since: "),
        (["--named", "names", "--set", "host=x"], 2, 'no parameter "host"'),
        (["SELECT 1", "--set", "limit=1"], 2, "add --named NAME"),
        (["SELECT 1", "-r", "CAPTURE"], 2, "add --named NAME"),
        (["--named", "names", "-f", "udp"], 2, "add -r FILE"),
        (["--named", "names", "-r", "CAPTURE", "--store", "s"], 2, "give one"),
        (["--named", "names", "-r", "CAPTURE", "-f", "porrt 1"], 2, "filter"),
        (["--named", "names", "-r", "CAPTURE", "--set", "limit=0"], 2, "limit: a number"),
        (["--named", "names", "-r", "nope.pcap"], 1, "nope.pcap: No such file"),
        (["--named", "names", "-r", "."], 1, "a directory; name the capture files in it"),
        (["--named", "names", "--store", "nowhere"], 1, "start one with: tidegate watch"),
        (["--named", "names", "-r", "CAPTURE", "--format", "parquet"], 2, "add -o"),
    ],
)
def test_a_mistake_in_a_named_question_is_one_line(
    run: Run, capture: Path, arguments: list[str], code: int, words: str
) -> None:
    done = run("query", *(str(capture) if word == "CAPTURE" else word for word in arguments))
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.startswith("tidegate: ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""

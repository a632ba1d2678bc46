"""Logs as the configuration asks for them: choice of rows, files for tables, SIGHUP under load."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import wait_for
from log_rows import conns, golden, rows
from tidegate.model.config import LogSettings
from tidegate.model.errors import UsageError
from tidegate.pipeline.pipeline import Line
from tidegate.sinks.log import check_logs, open_log, open_logs, tables_of


def log(path: Path, **more: object) -> LogSettings:
    return replace(LogSettings(name="test", path=str(path)), **more)  # type: ignore[arg-type]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_only_the_last_row_of_a_connection_unless_asked_for(tmp_path: Path) -> None:
    for interim, count in ((False, 1), (True, 2)):
        path = tmp_path / f"log{interim}"
        sink = open_log(log(path, format="tsv", columns=("state",), interim=interim))
        sink.write(conns(2, state=["active", "closed"]))
        sink.close()
        assert lines(path)[-1] == "closed"
        assert len(lines(path)) == 1 + count


def test_a_filter_chooses_rows(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = open_log(log(path, format="jsonl", columns=("process_name",), filter="prog:curl -port:1"))
    sink.write(conns(4, process_name=["curl", "curl", "ssh", None]))
    sink.write(conns(4, state=["active"] * 4, process_name=["curl"] * 4))
    sink.close()
    assert lines(path) == ['{"process_name":"curl"}']


@pytest.mark.parametrize(
    ("format", "names"),
    [
        ("zeek", ["conn.log", "dns.log", "ssl.log"]),
        ("tsv", ["conn.log", "dns.log", "tls.log"]),
        ("jsonl", ["conn.log", "dns.log", "tls.log"]),
        ("eve", ["{table}.log"]),
    ],
)
def test_a_file_for_each_table(tmp_path: Path, format: str, names: list[str]) -> None:
    path = tmp_path / ("all.log" if format == "eve" else "{table}.log")
    sink = open_log(log(path, format=format, tables=("conn", "dns", "tls")))
    for table in ("conn", "dns", "tls"):
        for batch in golden("dns" if table == "dns" else "tls", table):
            sink.write(batch)
    sink.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == (["all.log"] if format == "eve" else names)
    if format == "eve":
        kinds = Counter(json.loads(line)["event_type"] for line in lines(path))
        assert kinds.keys() == {"flow", "dns", "tls"}


def test_segments_wait_for_their_programs(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = open_log(log(path, per="segment"))
    assert set(sink.tables) == {"conn", "packet"} == set(tables_of(log(path, per="segment")))
    sink.write(rows("packet", 1, uid=["C00000000"], payload_size=[5], excerpt=[r"GET /\r\n"]))
    assert path.read_bytes() == b""
    sink.write(conns(1, state=["active"], process_name=["curl"]))
    sink.flush()
    (line,) = lines(path)
    assert line.split("\t")[5] == "curl"
    assert line.split("\t")[10] == r"GET /\r\n"
    sink.close()


WRONG = [
    ({"format": "zeek", "tables": ("conn", "dns")}, "zeek needs a file for each table: put {table} into"),
    ({"format": "conmon", "tables": ("http",)}, "conmon writes its eleven columns of conn"),
    ({"format": "conmon", "columns": ("ts",)}, "conmon writes its eleven columns of conn"),
    (
        {"format": "tsv", "per": "segment"},
        "rows for each data segment are conmon's; for tsv name table packet",
    ),
    ({"format": "tsv", "columns": ("nmae",)}, 'table conn has no column "nmae"'),
    ({"tables": ("cnn",)}, 'there is no table "cnn"'),
    ({"tables": ()}, "a table at least is needed"),
    ({"path": "/tmp/"}, "a path that names a file"),
    ({"filter": "prg:x"}, 'there is no field "prg"; did you mean "prog"?'),
    ({"filter": "prog:x", "format": "eve", "tables": ("http",)}, '"prog:x" looks at process_name and'),
    ({"filter": "status:500", "per": "segment"}, '"status:500" looks at status, which'),
    ({"rotate_size": -1}, "0 or more is expected"),
]


@pytest.mark.parametrize(("more", "message"), WRONG)
def test_what_no_log_can_be(tmp_path: Path, more: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        open_log(replace(log(tmp_path / "log"), **more))  # type: ignore[arg-type]
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_two_logs_of_one_name_or_path(tmp_path: Path) -> None:
    one = log(tmp_path / "log")
    with pytest.raises(UsageError, match="log test: there are two of this name"):
        open_logs([one, replace(one, path="other")])
    with pytest.raises(UsageError, match="log second: log test writes to"):
        check_logs([one, replace(one, name="second")])
    assert not (tmp_path / "log").exists()
    for each in (opened := open_logs([one, replace(one, name="second", path=str(tmp_path / "log2"))])):
        each.close()
    assert [each.name for each in opened] == ["test", "second"]


def test_a_log_that_fails_costs_the_others_nothing(tmp_path: Path) -> None:
    bad, good = open_logs(
        [log(tmp_path / "gone" / "log", name="bad", buffer=1000), log(tmp_path / "log", name="good")]
    )
    line = Line([bad, good])
    for first in range(0, 1000, 10):
        line.process([conns(10, first)])
    line.close()
    assert line.error is None
    assert len(lines(tmp_path / "log")) == 1000
    assert (bad.lost, good.lost) == (1000, 0)


def test_what_waits_is_told(tmp_path: Path) -> None:
    sink = open_log(log(tmp_path / "gone" / "log", format="csv", columns=("uid",)))
    sink.write(conns(3))
    assert sink.waiting == 3 * len("C00000000\n")
    (tmp_path / "gone").mkdir()
    sink.reopen()
    sink.flush()
    assert (sink.waiting, sink.trouble) == (0, "")
    sink.close()


def test_a_log_that_lost_rows_and_takes_them_again_works(tmp_path: Path) -> None:
    sink = open_log(log(tmp_path / "gone" / "log", buffer=100))
    for first in range(0, 50, 10):
        sink.write(conns(10, first))
    assert sink.trouble.endswith(f"{sink.lost} rows lost")
    (tmp_path / "gone").mkdir()
    sink.reopen()
    sink.flush()
    assert sink.lost > 0
    assert sink.trouble == ""
    sink.close()


def test_a_log_that_fails_says_so_and_does_not_raise(tmp_path: Path) -> None:
    sink = open_log(log(tmp_path / "gone" / "log"))
    sink.write(conns(3))
    sink.flush()
    assert "its file takes nothing" in sink.trouble
    assert sink.lost == 0
    sink.close()
    assert sink.lost == 3


WRITER = """
import signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
from log_rows import conns
from tidegate.model.config import LogSettings
from tidegate.pipeline.pipeline import Line
from tidegate.sinks.log import open_log
log = open_log(LogSettings(
    name="load", path={log!r}, format={format!r}, columns=("uid", "dst_ip"), keep=0, rotate_size=50_000
))
signal.signal(signal.SIGHUP, lambda *_: log.reopen())
going = True
def stop(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, stop)
count = 0
print("ready", flush=True)
while going or count < 20_000:
    size = count % 97 + 1
    log.write(conns(size, count)); count += size
    if count % 7 == 0:
        log.flush()
log.close()
print(count, log.lost)
"""


def has_lines(path: Path) -> bool:
    """Whether something is in it; it may be renamed at any moment."""
    with suppress(FileNotFoundError):
        return path.stat().st_size > 0
    return False


@pytest.mark.parametrize("format", ["tsv", "eve"])
def test_rotation_and_sighup_under_load(tmp_path: Path, format: str) -> None:
    """A writer at full speed that rotates by size, while somebody renames its file and sends SIGHUP."""
    path = tmp_path / "log"
    code = WRITER.format(path=[str(Path(__file__).parents[1])], log=str(path), format=format)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
        try:
            for number in range(40):
                wait_for(lambda: has_lines(path))
                try:
                    path.rename(tmp_path / f"moved.{number}")
                except FileNotFoundError:  # it was just rotating
                    continue
                writer.send_signal(signal.SIGHUP)
        finally:
            writer.send_signal(signal.SIGTERM)
        count, lost = map(int, writer.stdout.readline().split())
    assert writer.returncode == 0
    assert lost == 0
    files = list(tmp_path.iterdir())
    assert len(list(tmp_path.glob("moved.*"))) > 5
    found: Counter[str] = Counter()
    for file in files:
        text = file.read_text()
        assert not text or text.endswith("\n")
        found.update(uid_of(line, format) for line in text.splitlines() if line != "uid\tdst_ip")
    assert found == Counter({f"C{number:08d}": 1 for number in range(count)})


def uid_of(line: str, format: str) -> str:
    if format == "tsv":
        uid, address = line.split("\t")
        assert address == "192.0.2.2"
        return uid
    event = json.loads(line)
    assert event["dest_ip"] == "192.0.2.2"
    return str(event["tidegate"]["uid"])


def test_nothing_is_waited_for_while_a_log_fails(tmp_path: Path) -> None:
    """A log whose file cannot be opened costs an attempt now and then, not one for every batch."""
    os.mkfifo(tmp_path / "pipe")
    sink = open_log(log(tmp_path / "pipe", format="jsonl", buffer=1 << 16))
    for _ in range(100):
        sink.write(conns(100))
    assert sink.lost > 0
    sink.close()
    assert sink.lost == 10_000

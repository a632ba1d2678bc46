"""`tidegate read`, as a user runs it."""

import gzip
import json
import os
import subprocess
from pathlib import Path

import duckdb
import pytest

import pcaps
from helpers import TIDEGATE, Run
from tidegate.cli.read import split_words
from tidegate.model.errors import CaptureError
from tidegate.model.tables import default_tables


def test_the_summary_says_what_is_in_it(run: Run, capture: Path) -> None:
    done = run("read", capture)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "span 2023-11-14 22:13:20 to 22:13:23 UTC, 3.00 s" in lines
    assert any(line.startswith("packets 15 ") for line in lines)
    assert "connections 3" in lines
    assert any(line.startswith("192.0.2.9 1 10 ") for line in lines)
    assert any(line.startswith("tcp/80 ") for line in lines)
    assert "SF 3 opened and closed as it should" in lines
    assert "not IP 1 arp" in lines
    assert not any(line.startswith("not decoded") for line in lines)


def test_the_summary_fits_a_terminal_and_has_no_colours(run: Run, capture: Path) -> None:
    done = run("read", capture)
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("format", ["tsv", "csv"])
def test_rows_as_text(run: Run, capture: Path, format: str) -> None:
    done = run("read", capture, "--table", "conn", "--format", format)
    lines = done.stdout.splitlines()
    assert lines[0].replace(",", "\t").startswith("ts\tlast_ts\tuid\t")
    assert len(lines) == 4


def test_rows_as_json_lines_and_through_a_filter(run: Run, capture: Path) -> None:
    done = run("read", capture, "udp", "port", "53", "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["proto"] for row in rows] == ["udp", "udp"]


def test_rows_as_an_aligned_table(run: Run, capture: Path) -> None:
    done = run("read", capture, "--table", "packet", "--format", "table")
    lines = done.stdout.splitlines()
    assert len(lines) == 15
    column = lines[0].index("src_ip")
    assert all(line[column - 1] == " " for line in lines)


def test_packets_with_an_excerpt(run: Run, capture: Path) -> None:
    done = run("read", capture, "--table", "packet", "--excerpt", "3", "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 14
    assert "GET" in {row["excerpt"] for row in rows}


def test_parquet_files(run: Run, capture: Path, tmp_path: Path) -> None:
    done = run("read", capture, "--format", "parquet", "-o", "out")
    assert done.returncode == 0, done.stderr
    written = {path.stem for path in (tmp_path / "out").iterdir()}
    assert written == set(default_tables())
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path}/out/conn.parquet'").fetchall() == [(3,)]


def test_one_file_by_its_suffix_and_several_in_a_directory(run: Run, capture: Path, tmp_path: Path) -> None:
    assert run("read", capture, "-o", "conn.jsonl").returncode == 0
    assert len((tmp_path / "conn.jsonl").read_text().splitlines()) == 3
    assert run("read", capture, "-t", "conn", "-t", "packet", "-o", "dir").returncode == 0
    assert sorted(path.name for path in (tmp_path / "dir").iterdir()) == ["conn.tsv", "packet.tsv"]


def test_standard_input(run: Run, capture: Path) -> None:
    with capture.open("rb") as stdin:
        done = run("read", "-", "--format", "tsv", stdin=stdin)
    assert len(done.stdout.splitlines()) == 4


def test_several_files_and_compressed_ones(run: Run, capture: Path, tmp_path: Path) -> None:
    packed = tmp_path / "later.pcap.gz"
    later = pcaps.write_pcap(tmp_path / "later.pcap", pcaps.http_get(start=10.0))
    packed.write_bytes(gzip.compress(later.read_bytes()))
    done = run("read", capture, packed, "--format", "tsv")
    assert len(done.stdout.splitlines()) == 5


def test_a_cut_off_file_is_a_warning(run: Run, capture: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(capture.read_bytes()[:-10])
    done = run("read", cut, "--format", "tsv")
    assert done.returncode == 0
    assert "tidegate: warning: " in done.stderr
    assert "cut off" in done.stderr
    assert len(done.stdout.splitlines()) == 4


SECRETS = (
    b"GET /a?token=q HTTP/1.1\r\nHost: example.org\r\nAuthorization: Basic c2VjcmV0\r\nCookie: id=c\r\n\r\n"
)


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ([], ["Basic [redacted]", "[redacted]", "/a?token=q"]),
        (["--redact-query"], ["Basic [redacted]", "[redacted]", "/a?[redacted]"]),
        (["--keep-credentials"], ["Basic c2VjcmV0", "id=c", "/a?token=q"]),
    ],
)
def test_secrets_are_kept_only_when_asked_for(
    run: Run, tmp_path: Path, options: list[str], seen: list[str]
) -> None:
    path = pcaps.write_pcap(tmp_path / "secrets.pcap", pcaps.http_get(request=SECRETS))
    done = run("read", path, "--table", "http", "--format", "jsonl", *options)
    row = json.loads(done.stdout)
    assert [row["auth"], row["cookie"], row["uri"]] == seen


def test_the_summary_says_what_was_asked(run: Run, capture: Path) -> None:
    lines = [" ".join(line.split()) for line in run("read", capture).stdout.splitlines()]
    assert "GET 1 | 200 1 | / 1" in lines
    assert any(line.startswith("tcp/80 http 1 10 ") for line in lines)
    assert any(line.startswith("example.org http 1 ") for line in lines)


def test_what_is_no_ip_is_not_broken(run: Run, tmp_path: Path) -> None:
    """As a switch sends it: LLDP, STP, CDP, EAPOL, an unknown type; and beside it what is really broken."""
    others = [
        (b"\x88\xcc", bytes(46)),
        (b"\x00\x26", b"\x42\x42\x03" + bytes(43)),
        (b"\x00\x50", b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(80)),
        (b"\x88\x8e", bytes(46)),
        (b"\x88\xb5", bytes(46)),
    ]
    broken = (b"\x08\x00", b"\x43" + bytes(45))
    frames = [(0.1 * at, bytes(12) + kind + rest) for at, (kind, rest) in enumerate([*others, broken])]
    file = pcaps.write_pcap(tmp_path / "lan.pcap", frames)
    told = run("read", file, "--stats").stderr
    kinds = "cdp 1, eapol 1, ethertype 0x88b5 1, lldp 1, stp 1"
    assert "not decoded  ip4 header length 1\n" in told
    assert f"not IP       {kinds}\n" in told
    said = run("query", "-r", file, "--named", "drops", "--format", "jsonl").stdout
    row = json.loads(said)
    assert (row["packets"], row["malformed"], row["not_ip"]) == (6, 1, 5)


def test_counters_on_stderr(run: Run, capture: Path) -> None:
    done = run("read", capture, "--stats")
    assert "packets      15 in " in done.stderr
    assert "not decoded  0" in done.stderr
    assert "not IP       arp 1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.pcap"], 1, "missing.pcap: no such file"),
        (["dir/missing"], 1, "dir/missing: no such file"),
        (["CAPTURE", "other.pcap"], 1, "other.pcap: no such file"),
        (["."], 1, "is a directory"),
        (["garbage"], 1, "garbage"),
        (["empty"], 1, "empty"),
        (["CAPTURE", "tcp", "porrt", "80"], 2, "filter"),
        (["CAPTURE", "tcp", "-f", "udp"], 2, "two filters"),
        (["CAPTURE", "--table", "nope"], 2, 'no table "nope"; there are conn'),
        (["CAPTURE", "--tabel", "conn"], 2, "--table"),
        (["CAPTURE", "--format", "xml"], 2, "xml"),
        (["CAPTURE", "--format", "parquet"], 2, "add -o"),
        (["CAPTURE", "-t", "conn", "-t", "health"], 2, "add -o"),
        (["CAPTURE", "--excerpt", "8"], 2, "--table packet"),
        (["CAPTURE", "-o", "nowhere/x.tsv"], 1, "nowhere/x.tsv"),
        (["CAPTURE", "--format", "tsv", "-o", "/dev/full"], 1, "No space left"),
        ([], 2, "FILE"),
    ],
)
def test_a_mistake_is_one_line(
    run: Run, capture: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "garbage").write_bytes(b"this is no capture at all, is it?")
    (tmp_path / "empty").touch()
    done = run("read", *(str(capture) if word == "CAPTURE" else word for word in arguments))
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.startswith("tidegate: ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_files_end_where_the_filter_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.pcap", "host"):
        (tmp_path / name).touch()
    assert split_words(["a.pcap", "-", "tcp", "and", "host", "10.0.0.1"]) == (
        ["a.pcap", "-"],
        ["tcp", "and", "host", "10.0.0.1"],
    )
    assert split_words(["a.pcap", "net", "10.0.0.0/8"])[1] == ["net", "10.0.0.0/8"]
    with pytest.raises(CaptureError, match="no such file"):
        split_words(["tcp", "port", "80"])


def test_a_reader_that_goes_away_is_no_error(environment: dict[str, str], capture: Path) -> None:
    command = [*TIDEGATE, "read", str(capture), "--table", "packet", "--format", "tsv"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_said(run: Run, capture: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("read", capture, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "tidegate: could not write the output: No space left on device\n"


def test_only_the_rows_that_a_filter_wants(run: Run, capture: Path, tmp_path: Path) -> None:
    def ports(*words: object) -> list[str]:
        done = run("read", capture, "--table", "conn", "--format", "jsonl", *words)
        assert done.returncode == 0, done.stderr
        return sorted(str(json.loads(line)["dst_port"]) for line in done.stdout.splitlines())

    assert ports() == ["53", "53", "80"]
    assert ports("--only", "port:80") == ["80"]
    assert ports("--only", "-service:http proto:udp") == ["53", "53"]
    assert "connections             1" in run("read", capture, "--only", "port:80").stdout
    wrong = run("read", capture, "--only", "prt:80")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        'tidegate: filter: there is no field "prt"; did you mean "port"?\n',
    )

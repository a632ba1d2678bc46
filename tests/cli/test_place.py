"""`--place`: places on captures, whatever is written, and what is wrong said in a line."""

import json
from pathlib import Path

import duckdb
import pytest

import mmdb
import pcaps
from helpers import Run


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A capture of HTTP with a public server, and two databases that know it."""
    capture = pcaps.write_pcap(tmp_path / "x.pcap", pcaps.http_get(server=("8.8.8.8", 80)))
    city = mmdb.write(tmp_path / "city.mmdb", {"8.8.8.0/24": mmdb.city("US", "Mountain View")})
    network = mmdb.write(tmp_path / "asn.mmdb", {"8.8.8.0/24": mmdb.network(15169, "Example")})
    return capture, city, network


EXPECTED = ("US", "Mountain View", 15169, "Example", None)
COLUMNS = ("dst_country", "dst_city", "dst_asn", "dst_as_org", "src_country")


def test_rows_have_places(run: Run, files: tuple[Path, Path, Path]) -> None:
    capture, city, network = files
    done = run("read", capture, "--place", city, "--place", network, "--format", "jsonl")
    row = json.loads(done.stdout)
    assert tuple(row.get(column) for column in COLUMNS) == EXPECTED
    plain = json.loads(run("read", capture, "--format", "jsonl").stdout)
    assert plain == row | dict.fromkeys(COLUMNS)


def test_parquet_has_places_and_the_same_files(
    run: Run, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    capture, city, network = files
    for folder, options in (("with", ["--place", city, "--place", network]), ("without", [])):
        done = run("read", capture, *options, "--format", "parquet", "-o", tmp_path / folder)
        assert done.returncode == 0, done.stderr
    names = [sorted(path.name for path in (tmp_path / folder).iterdir()) for folder in ("with", "without")]
    assert names[0] == names[1]
    found = duckdb.sql(f"SELECT {', '.join(COLUMNS)} FROM '{tmp_path}/with/conn.parquet'").fetchall()
    assert found == [EXPECTED]
    other = "SELECT * EXCLUDE (ts) FROM '{0}/{1}/http.parquet'"
    assert (
        duckdb.sql(other.format(tmp_path, "with")).fetchall()
        == duckdb.sql(other.format(tmp_path, "without")).fetchall()
    )


def test_questions_over_captures_have_places(run: Run, files: tuple[Path, Path, Path]) -> None:
    capture, city, network = files
    words = ["query", "--named", "places", "-r", capture, "--format", "jsonl"]
    rows = [json.loads(line) for line in run(*words, "--place", city, "--place", network).stdout.splitlines()]
    assert [(row["country"], row["asn"], row["cities"], row["connections"]) for row in rows] == [
        ("US", 15169, ["Mountain View"], 1)
    ]
    assert run(*words).stdout == ""


def test_the_summary_is_as_without(run: Run, files: tuple[Path, Path, Path]) -> None:
    capture, city, _ = files
    assert run("read", capture, "--place", city).stdout == run("read", capture).stdout


@pytest.mark.parametrize("verb", ["read", "watch", "query"])
def test_a_database_that_cannot_be_used_is_one_line(
    run: Run, files: tuple[Path, Path, Path], verb: str, tmp_path: Path
) -> None:
    capture = files[0]
    words = {
        "read": ["read", capture],
        "watch": ["watch", "--no-store", "--for", "1"],
        "query": ["query", "--named", "places", "-r", capture],
    }[verb]
    for file, reason in ((tmp_path / "missing.mmdb", "no such file"), (capture, "is no MMDB file")):
        done = run(*words, "--place", file)
        assert done.returncode == 2
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert str(file) in line
        assert reason in line


def test_a_store_has_its_places_already(run: Run, files: tuple[Path, Path, Path]) -> None:
    done = run("query", "SELECT 1", "--place", files[1])
    assert done.returncode == 2
    assert "add -r FILE" in done.stderr or "with a name" in done.stderr

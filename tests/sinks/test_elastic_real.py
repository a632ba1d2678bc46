"""The interface of Elasticsearch and OpenSearch as OpenSearch itself has it: a real node, started here."""

import gzip
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from helpers import Run, wait_for
from log_rows import GOLDEN, HOSTILE, START, conns, rows
from opensearch import node as opensearch
from opensearch.node import Node
from tidegate.app import read
from tidegate.model.batch import Batch
from tidegate.model.config import ElasticSettings
from tidegate.model.tables import all_tables
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.elastic.sink import ElasticSink
from tidegate.sinks.eve import Eve
from tidegate.sinks.plain import Plain

pytestmark = pytest.mark.timeout(420)  # the first one fetches packages and starts the node

TABLES = tuple(table.name for table in all_tables())


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """One node for all tests of this file; each uses streams of its own."""
    if missing := opensearch.missing():
        pytest.skip(f"no OpenSearch: {missing}")
    with ExitStack() as running:
        try:
            found = running.enter_context(opensearch.running())
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no OpenSearch: its packages cannot be fetched ({error})")
        yield found


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    """Every row of every golden capture, and some that strangers would like to see there."""
    found = [batch for path in sorted(GOLDEN.glob("*.pcap")) for batch in read(path, tables=TABLES)]
    hostile = rows("http", len(HOSTILE), host=HOSTILE, uri=HOSTILE, user_agent=HOSTILE, **_ends(len(HOSTILE)))
    return [*found, hostile]


def _ends(count: int) -> dict[str, list[Any]]:
    return {
        "uid": [f"H{number}" for number in range(count)],
        "src_ip": ["192.0.2.1"] * count,
        "dst_ip": ["2001:db8::1"] * count,
    }


def send(node: Node, folder: Path, batches: list[Batch], **others: Any) -> ElasticSink:
    """Sends rows to the last one, and ends."""
    settings: dict[str, Any] = {"name": "real", "urls": (node.url,), "tables": TABLES, "interim": True}
    out = ElasticSink(ElasticSettings(**(settings | others)), folder)
    for batch in batches:
        out.write(batch)
    wait_for(lambda: not out.waiting and not out._queue, 60.0)
    out.close()
    return out


def numbers(batches: list[Batch]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for batch in batches:
        found[batch.table] += batch.num_rows
    return dict(found)


@pytest.mark.parametrize("format", ["ecs", "flat"])
def test_every_row_is_taken_once(format: Any, node: Node, batches: list[Batch], tmp_path: Path) -> None:
    wanted = numbers(batches)
    for _ in range(2):
        out = send(node, tmp_path, batches, stream=f"all-{format}", format=format)
        assert out.lost == 0, out.trouble
        assert {table: node.count(f"all-{format}-{table}") for table in wanted} == wanted
    assert f"{sum(wanted.values()):,} were there" in out.said


def test_fields_are_of_their_types(node: Node, batches: list[Batch], tmp_path: Path) -> None:
    send(node, tmp_path, batches, stream="types")
    network = {"term": {"source.ip": "192.0.2.0/24"}}
    assert 0 < node.count("types-conn", network) < node.count("types-conn")
    assert node.count("types-http", {"range": {"http.response.status_code": {"gte": 200, "lt": 300}}}) > 0
    assert node.count("types-http", {"term": {"url.original": "ünï📶"}}) == 1
    window = {"gte": "2026-11-20T10:20:54.176026000Z", "lt": "2026-11-20T10:20:54.176026001Z"}
    assert node.count("types-conn", {"range": {"@timestamp": window}}) == 1
    summed = {"size": 0, "aggs": {"bytes": {"sum": {"field": "network.bytes"}}}}
    assert node.ask("POST", "/types-conn/_search", summed)["aggregations"]["bytes"]["value"] > 0
    # Nothing but what the template says is indexed.
    held = node.ask("GET", "/_index_template/types-conn")["index_templates"][0]["index_template"]
    backing = next(iter(node.ask("GET", "/types-conn/_mapping").values()))["mappings"]
    assert paths(backing["properties"]) == paths(held["template"]["mappings"]["properties"])


def paths(properties: dict[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, kind in properties.items():
        found |= (
            paths(kind["properties"], f"{above}{name}.")
            if "properties" in kind
            else {above + name: kind["type"]}
        )
    return found


def test_a_server_that_freezes_gets_everything_once(node: Node, tmp_path: Path) -> None:
    settings = ElasticSettings(
        name="real", urls=(node.url,), stream="frozen", tables=("conn",), timeout=1.0, bulk_wait=0.1
    )
    out = ElasticSink(settings, tmp_path)
    out.write(conns(1000))
    wait_for(lambda: not out.waiting and not out._queue)
    with node.frozen():
        for first in range(1000, 5000, 1000):
            out.write(conns(1000, first))
        wait_for(lambda: "no answer in 1s" in out.trouble)
        assert out.waiting > 0
    wait_for(lambda: not out.waiting and not out._queue, 60.0)
    out.close()
    assert out.lost == 0
    assert node.count("frozen-conn") == 5000


def test_requests_shrink_to_what_the_server_takes(node: Node, tmp_path: Path) -> None:
    out = send(node, tmp_path, [conns(3000)], stream="large", tables=("conn",), compress=False)
    assert out._sender._limit <= 1 << 20
    assert node.count("large-conn") == 3000
    assert out.lost == 0


def test_refused_rows_are_those_of_the_server(node: Node, tmp_path: Path) -> None:
    bad = conns(5, last_ts=[START, -5_000_000_000, START, START, -1])  # nanoseconds begin in 1970
    out = send(node, tmp_path, [bad], stream="bad", tables=("conn",))
    assert out.trouble == "2 rows refused"
    assert node.count("bad-conn") == 3


def test_an_end_that_is_no_address_costs_no_row(node: Node, tmp_path: Path) -> None:
    out = send(
        node,
        tmp_path,
        [conns(3, dst_ip=["192.0.2.2", "/run/x.sock", "::1"])],
        stream="ends",
        tables=("conn",),
    )
    assert out.lost == 0
    assert node.count("ends-conn") == 3
    assert node.count("ends-conn", {"term": {"destination.ip": "::1"}}) == 1


@pytest.fixture
def logs(batches: list[Batch], tmp_path: Path) -> dict[str, Path]:
    """All rows as the logs that somebody kept."""
    found = {}
    for table in TABLES:
        found[table] = tmp_path / f"{table}.jsonl"
        writer = Plain("jsonl", table)
        found[table].write_bytes(b"".join(writer.lines(each) for each in batches if each.table == table))
    found["ecs"] = tmp_path / "ecs.json.gz"
    found["ecs"].write_bytes(gzip.compress(b"".join(map(Ecs().lines, batches))))
    found["eve"] = tmp_path / "eve.json"
    some = [each for each in batches if each.table in ("conn", "dns")]
    found["eve"].write_bytes(b"".join(map(Eve().lines, some)))
    return found


def test_logs_of_rows_that_are_there_double_nothing(
    node: Node, batches: list[Batch], logs: dict[str, Path], tmp_path: Path, run: Run
) -> None:
    send(node, tmp_path / "spool", batches, stream="logs")
    total = sum(numbers(batches).values())
    jsonl = [logs[table] for table in TABLES if logs[table].stat().st_size]
    for files in (jsonl, [logs["ecs"]]):
        done = run("ship", "--url", node.url, "--stream", "logs", *files)
        assert done.returncode == 0, done.stderr + done.stdout
        there = sum(
            int(each.split(" there already")[0].split()[-1].replace(",", ""))
            for each in done.stdout.splitlines()
        )
        assert there == total
        assert done.stdout.count(": 0 sent") == done.stdout.count(" 0 refused") == len(files)
    assert sum(node.count(f"logs-{table}") for table in numbers(batches)) == total


def test_a_replay_after_a_rollover_doubles_nothing(
    node: Node, logs: dict[str, Path], run: Run, batches: list[Batch]
) -> None:
    words = ("ship", "--again", "--url", node.url, "--stream", "rolled", logs["conn"])
    assert run(*words).returncode == 0
    node.ask("POST", "/rolled-conn/_refresh")
    node.ask("POST", "/rolled-conn/_rollover")
    done = run(*words)
    wanted = numbers(batches)["conn"]
    assert f"0 sent, {wanted} there already, 0 refused" in done.stdout
    assert node.count("rolled-conn") == wanted


def test_eve_has_a_stream_of_its_own(node: Node, logs: dict[str, Path], run: Run) -> None:
    done = run("ship", "--url", node.url, "--stream", "suri", logs["eve"])
    assert done.returncode == 0, done.stdout
    lines = logs["eve"].read_text().splitlines()
    assert node.count("suri-eve") == len(set(lines))
    assert node.count("suri-eve", {"term": {"src_ip": "192.0.2.0/24"}}) > 0


def test_a_log_goes_on_where_it_stopped(node: Node, logs: dict[str, Path], run: Run) -> None:
    lines = logs["conn"].read_bytes().splitlines(keepends=True)
    growing = logs["conn"].with_name("growing.jsonl")
    growing.write_bytes(b"".join(lines[:100]))
    words = ("ship", "--url", node.url, "--stream", "grow", growing)
    assert "100 lines: 100 sent" in run(*words).stdout
    with growing.open("ab") as file:
        file.write(b"".join(lines[100:150]))
    assert "50 lines (went on after" in (said := run(*words).stdout)
    assert "50 sent" in said
    assert node.count("grow-conn") == 150


def test_what_autonapt_wrote(node: Node, run: Run, tmp_path: Path) -> None:
    remote = {"address": "203.0.113.5", "port": 4242}
    place = {
        "city": {"iso_code": "JP", "name": "Japan", "location": {"lat": 35.6, "lon": 139.7}},
        "asn": {"asn": "Net"},
    }
    client = {"remote": remote, "local": {"address": "192.0.2.1", "port": 80}}
    event = {"connection_id": 1, "datetime": "2020-02-03 04:05:06.000007", "type": "accept"}
    data = {
        "protocol": "HTTP",
        "packet_size": 18,
        "packet": "GET / \u0000\x9b",
        "sha1": "ab",
        "client": client,
    }
    log = [
        event | {"client": client | {"remote": remote | {"geoip": place}}},
        event | data | {"type": "recv"},
        event | data | {"type": "recv"},  # the same bytes again within the clock's resolution
        event | {"type": "close", "more": {"a.b": 1, "c": [{}]}},
    ]
    (tmp_path / "a.json").write_text("".join(json.dumps(each) + "\n" for each in log) + "no JSON\n\n")
    words = (
        "ship",
        "--url",
        node.url,
        "--stream",
        "napt",
        "--zone",
        "Asia/Tokyo",
        "--again",
        tmp_path / "a.json",
    )
    first, second = run(*words), run(*words)
    assert first.returncode == second.returncode == 1
    assert "6 lines: 4 sent, 0 refused, 1 not understood, 1 blank" in first.stdout
    assert "0 sent, 4 there already" in second.stdout
    moment = {"gte": "2020-02-02T19:05:06.000007Z", "lte": "2020-02-02T19:05:06.000007Z"}
    assert node.count("napt-autonapt", {"range": {"@timestamp": moment}}) == 4
    assert node.count("napt-autonapt", {"term": {"source.ip": "203.0.113.0/24"}}) == 3
    near = {"geo_distance": {"distance": "10km", "source.geo.location": {"lat": 35.6, "lon": 139.7}}}
    assert node.count("napt-autonapt", near) == 1


def test_refused_lines_are_counted_by_their_reason(node: Node, run: Run, tmp_path: Path) -> None:
    lines = Ecs().lines(conns(3)).replace(b'"port":1', b'"port":"nowhere"', 1)
    (tmp_path / "ecs.json").write_bytes(lines)
    done = run("ship", "--url", node.url, "--stream", "wrong", "ecs.json")
    assert done.returncode == 1
    assert "3 lines: 2 sent, 1 refused" in done.stdout
    assert "1 refused: mapper_parsing_exception: failed to parse field [source.port]" in done.stdout

"""Alerts over real rows: golden captures counted against their tables, and hostile traffic told to people."""

import csv
import logging
from pathlib import Path

import pytest

import pcaps
import tidegate
from alarms import Watched, rule
from helpers import Run, wait_for
from hook import hooked
from tidegate.model.config import RuleSettings, StoreSettings, WebhookSettings
from tidegate.pipeline.pipeline import Line, Stage
from tidegate.sinks.store import StoreSink
from tidegate.store.writer import StoreWriter

GOLDEN = Path(__file__).parents[1] / "golden"
DAY = 86_400.0
EVIL = {
    "markup": b"[/foo][bold]",
    "clipboard": b"\x1b]52;c;ZXZpbA==\x1b\\",
    "c1": b"\x9b2J\x90x\x9c",
    "bidi": "\u202egnp.exe\u2066".encode(),
    "long": b"h" * 60_000,
    "not utf-8": b"\xff\xfe\xc3(",
    "formula": b"=cmd|' /C calc'!A0",
    "script": b"</script><script>alert(1)</script>",
    "percent": b"%s%n%(name)s{0}{value}",
    "quotes": b"\"'`$(x)\\",
}


def everything(*metrics: str) -> list[RuleSettings]:
    """Rules that are raised by anything, so that their peak is the sum of it."""
    return [rule(metric, 0, window=30 * DAY, levels=(1.0,), key=None) for metric in metrics]


def table(capture: str, name: str) -> list[dict[str, str]]:
    path = GOLDEN / f"{capture}.{name}.tsv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize(
    "capture", sorted(path.name for path in GOLDEN.iterdir() if path.suffix in (".pcap", ".pcapng"))
)
def test_what_is_measured_is_what_the_tables_say(capture: str) -> None:
    http, conns = table(capture, "http"), table(capture, "conn")
    plain = [row for row in conns if row["tunnel"] == "-"]
    failed = [row for row in conns if row["conn_state"] in ("S0", "REJ") and row["proto"] == "tcp"]
    wanted = {
        "http_requests": sum(row["method"] != "-" for row in http),
        "http_replies": sum(row["status"] != "-" for row in http),
        "bytes": sum(int(row["up_bytes"]) + int(row["down_bytes"]) for row in plain),
        "packets": sum(int(row["up_packets"]) + int(row["down_packets"]) for row in plain),
        "quota": sum(int(row["up_bytes"]) + int(row["down_bytes"]) for row in plain),
        "connections": len(conns),
    }
    wanted["http_messages"] = wanted["http_requests"] + wanted["http_replies"]
    watched = Watched(
        *everything(*wanted), rule("failed_connections", 0, filter="proto:=tcp", window=30 * DAY)
    )
    for batch in tidegate.read(GOLDEN / capture):
        watched.see(batch)
    found = {each["metric"]: each["value"] for each in watched.stage.standings()}
    assert found == wanted | {"failed_connections": len(failed)}
    raised = {row["metric"] for row in watched.alerts}
    assert raised == {metric for metric, value in found.items() if value}
    assert watched.stage.counts()["late"] == 0
    watched.close()


def test_hosts_and_sections_of_a_real_capture() -> None:
    watched = Watched(rule("http_requests", 0, key="host, section", window=DAY))
    for batch in tidegate.read(GOLDEN / "http4.pcap"):
        watched.see(batch)
    keys = {row["key"] for row in watched.alerts}
    assert keys == {f"{row['host']} {row['section']}" for row in table("http4.pcap", "http")}
    watched.close()


def test_the_line_takes_it_as_a_stage_and_the_store_keeps_what_it_says(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "store"
    watched = Watched(rule("http_requests", 0, key="host", window=DAY))
    stage: Stage = watched.stage
    now = 1_800_000_000 * 1_000_000_000
    line = Line([StoreSink(StoreWriter(root, StoreSettings()))], [stage], wall=lambda: now)
    for batch in tidegate.read(GOLDEN / "http4.pcap"):
        line.process([batch])
    line.close()
    answer = list(tidegate.ask("alerts", root))
    assert {row[2] for row in answer} == {row["host"] for row in table("http4.pcap", "http")}
    assert {row[4] for row in answer} == {"recovered"}, "the last tick was months later"
    done = run("query", "--named", "alert-rules", "--store", root, "--format", "tsv")
    assert done.stdout.splitlines()[1].startswith("http_requests\thttp_requests\t")


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_traffic_is_told_as_its_own_escaped_text(
    evil: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, run: Run
) -> None:
    """Through packets, engine, rule, state, store, log, JSON and the command line."""
    caplog.set_level(logging.INFO)
    text = EVIL[evil]
    request = (
        b"GET /"
        + text[:200]
        + b"/ HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n\r\n" % (text[:30_000], text[:30_000])
    )
    frames = [(moment, frame) for moment, frame in pcaps.http_get(request=request)]
    capture = pcaps.write_pcap(tmp_path / "evil.pcap", frames)
    root = tmp_path / "store"
    sink = StoreSink(StoreWriter(root, StoreSettings()))
    keys = ("host", "user_agent", "section", "uri")
    rules = [
        rule("http_requests", 0, name=key, key=key, message="{key} of {rule}", actions=("log", "hook"))
        for key in keys
    ]
    with hooked(200) as hook:
        watched = Watched(*rules, state=root / "alerts.json", webhooks=(WebhookSettings("hook", hook.url),))
        line = Line([sink], [watched.stage], wall=lambda: int(pcaps.START + 60) * 10**9)
        line.process(list(tidegate.read(capture)))
        keys_told = {each["rule"]: each["key"] for each in watched.stage.desk.open_alerts()}
        expected = len(keys_told)
        wait_for(lambda: len(hook.bodies) >= expected)
        shown = run("alerts", "--store", root)
        line.close()
    assert keys_told
    for said in [*keys_told.values(), *(record.getMessage() for record in caplog.records)]:
        assert said.isprintable(), ascii(said)
        assert len(said) < 700
    for body in hook.bodies:
        assert str(body["message"]).isprintable()
        assert len(str(body)) < 3000
    assert shown.returncode == 0, shown.stderr
    assert all(each.isprintable() for each in shown.stdout.splitlines())
    assert len(shown.stdout.splitlines()) == expected + 2

"""The summary as text: what it says of protocols, how wide it is, and what it lets through."""

from collections.abc import Callable
from pathlib import Path

import pytest

import talk
import tidegate
from rows import TableRows
from tidegate.cli.summary import RANKINGS, render
from tidegate.queries import summary as figures_of
from tidegate.queries.summary import Summary

Render = Callable[..., list[str]]


@pytest.fixture
def lines(capture: Path, monkeypatch: pytest.MonkeyPatch) -> Render:
    """The summary of rows in a terminal of this width, blanks put together."""

    def rendered(*rows: TableRows, columns: int = 80, files: tuple[str, ...] = ("x.pcap",)) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        reading = tidegate.read(capture)
        list(reading)
        summary = Summary()
        for batch in rows:
            summary.add(batch)
        assert reading.stats
        text = render(files, reading.stats, summary.figures())
        summary.close()
        return text.splitlines()

    return rendered


def words(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def test_every_protocol_is_told(lines: Render) -> None:
    told = words(lines(*talk.everything()))
    for line in (
        "www.example.org dns sni 2 1.0 kB",
        "HTTP hosts no reply median bytes errors requests",
        "api.example 1 200.0 ms 125 B 1 4",
        "GET 3, POST 1 | 200 2, 404 1, none 1 | /v1 2, / 1, /login 1",
        "10.0.0.5 > 192.0.2.9:22 no answer 2",
        "www.example.org TLSv1.3 . 1 2",
        "old.example:8443 old version, expired, self-signed 1",
        "example.org A AAAA . 1 20.0 ms 3",
        "example.org 10.0.0.1 unanswered 1",
        "10.0.0.5 > 192.0.2.1 30.0 ms 20.0 ms 3 1",
        "More: tidegate query --named http-hosts -r x.pcap",
    ):
        assert line in told


def test_what_has_no_data_has_no_section(lines: Render) -> None:
    told = "\n".join(lines(talk.dns()))
    assert "DNS queries" in told
    for title in ("HTTP", "TLS", "Pings", "Top", "Protocols", "States", "that failed"):
        assert title not in told


def test_addresses_alone_are_no_names(lines: Render) -> None:
    assert "Top names" not in lines(TableRows("conn").add(src_ip="10.0.0.5", dst_ip="10.0.0.6"))


@pytest.mark.parametrize("columns", [20, 40, 61, 80, 100, 300])
def test_it_fits_the_terminal(lines: Render, columns: int) -> None:
    told = lines(*talk.everything(), columns=columns)
    width = min(max(columns, 40), 120)
    commands = ("More: ", "All that ")  # to be copied whole
    assert all(len(line) <= width for line in told if not line.startswith(commands))
    assert any("api.example" in line for line in told)
    assert any(line.endswith("requests") for line in told)


def test_nothing_of_a_stranger_moves_the_cursor(lines: Render) -> None:
    evil = "\x1b]52;c;x\x07[/bold]\u202e\x9b\n[red]"
    rows = (
        TableRows("http").add(method=evil, host=evil, section=evil, reason=evil, status=200),
        TableRows("tls").add(sni=evil, version="TLSv1.0", transport="tcp"),
        TableRows("dns").add(query=evil, qtype="A", transport="udp"),
        TableRows("conn").add(
            name=evil, name_source="http", dst_ip="192.0.2.1", conn_state="S0", proto="tcp"
        ),
    )
    told = lines(*rows, files=("x\x1b.pcap",))
    assert all(line.isprintable() for line in told)
    assert any("[/bold]" in line for line in told)
    assert "More: tidegate query --named http-hosts -r 'x\\x1b.pcap'" in told


def test_a_command_that_is_too_long_names_no_files(lines: Render) -> None:
    assert "More: tidegate query --named dns-queries -r FILE" in lines(talk.dns(), files=("x" * 60,))


def test_parts_that_are_left_out_are_hinted_at(lines: Render) -> None:
    rows = TableRows("http")
    for number in range(20):
        rows.add(host="a", method=f"M{number:02}", section=f"/{number:02}", status=200 + number)
    told = words(lines(rows))
    assert "M00 1, M01 1, M02 1, M03 1, M04 1, M05 1, …" in told


def test_every_ranking_is_shown_somewhere() -> None:
    assert {*RANKINGS, "states"} == {question.name for question in figures_of.RANKINGS}

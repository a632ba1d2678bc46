"""`tidegate report`, as a user runs it."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import talk
from helpers import TIDEGATE, Run, wait_for

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return talk.store(tmp_path / "store")


def test_of_a_capture(run: Run, tmp_path: Path) -> None:
    done = run("report", "pings", "-r", GOLDEN / "pings.pcap", "--zone", "Europe/Berlin")
    assert done.returncode == 0, done.stderr
    folder = (tmp_path / done.stdout.strip()).parent
    assert re.fullmatch(r"pings-2026-11-20-\d{4,6}", folder.name)
    assert {path.name for path in folder.iterdir()} == {
        "report.html", "report.txt", "pings-by-source.csv", "pings-by-source.png", "who-was-pinged.csv",
    }  # fmt: skip
    assert "Europe/Berlin, CET" in (folder / "report.txt").read_text()


def test_a_capture_that_is_cut_off_is_reported_on_and_said_to_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cut.pcap").write_bytes((GOLDEN / "pings.pcap").read_bytes()[:500])
    done = run("report", "pings", "-r", "cut.pcap")
    assert done.returncode == 0
    assert done.stderr == "tidegate: warning: cut.pcap: cut off after 5 packets\n"


def test_two_reports_of_one_day_are_both_there(run: Run, store: Path, tmp_path: Path) -> None:
    words = ["report", "pings", "--store", store, "--zone", "UTC"]
    said = [
        run(*words, *window).stdout.strip()
        for window in (
            ["--from", "2026-11-19 22:00", "--to", "2026-11-20 06:00"],
            ["--from", "2026-11-20 06:00", "--to", "2026-11-20 18:00"],
            ["--day", "2026-11-20"],
            ["--day", "2026-11-20"],
        )
    ]
    ends = ["-0600", "-1800", "", "-2"]
    assert said == [f"pings-2026-11-20{end}/report.html" for end in ends]
    assert all((tmp_path / page).is_file() for page in said)


def test_of_a_capture_and_a_filter(run: Run, tmp_path: Path) -> None:
    done = run("report", "pings", "-r", GOLDEN / "pings.pcap", "-o", "out", "icmp6")
    assert done.returncode == 0, done.stderr
    assert "192.0.2.1" not in (tmp_path / "out" / "report.txt").read_text()
    assert "2001:db8::1" in (tmp_path / "out" / "report.txt").read_text()
    assert run("report", "-r", GOLDEN / "pings.pcap", "icmp", "-o", "out").stdout == "out/report.html\n"
    wrong = run("report", "pings", "-r", GOLDEN / "pings.pcap", "nonsense")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("name", ["overnight", "pings", "web", "relay", "quota"])
def test_of_a_store(run: Run, store: Path, tmp_path: Path, name: str) -> None:
    window = [] if name == "quota" else ["--day", "2026-11-20"]
    done = run("report", name, *window, "--store", store, "--zone", "UTC", "-o", "out")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in page
    assert "https://" not in page
    assert "http://" not in page


def test_its_zone_is_that_of_the_schedule_unless_given(run: Run, store: Path, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text(f"store: {{path: {store}}}\nschedule: {{zone: America/New_York}}\n")
    for more, zone in (([], "America/New_York"), (["--zone", "Asia/Tokyo"], "Asia/Tokyo")):
        done = run(
            "report", "pings", "--day", "2026-11-20", "--config", tmp_path / "t.yml", *more, "-o", "out"
        )
        assert done.returncode == 0, done.stderr
        assert zone in (tmp_path / "out" / "report.txt").read_text().splitlines()[1]


def test_a_report_of_nothing_is_written_and_says_why(run: Run, store: Path) -> None:
    done = run("report", "pings", "--day", "2020-01-01", "--store", store)
    assert done.returncode == 0
    assert "no capture ran" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_ones_own(run: Run, store: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "conf"
    (folder / "reports").mkdir(parents=True)
    (folder / "tidegate.yml").write_text(f"store: {{path: {store}}}\n")
    shown = run("report", "web", "--show")
    assert shown.returncode == 0
    (folder / "reports" / "shop.yml").write_text(shown.stdout.replace("title: Web", "title: Shop"))
    config = ["--config", folder / "tidegate.yml"]
    listed = run("report", "--list", *config).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["overnight", "pings", "web", "relay", "quota", "shop"]
    done = run("report", "shop", "--day", "2026-11-20", *config, "-o", "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.txt").read_text().startswith("Shop\n")


def test_a_section_that_cannot_be_made_is_said_and_the_rest_is_there(
    run: Run, store: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yml"
    file.write_text("sections:\n  - {title: Mine, sql: SELEC 1}\n  - {title: Hosts, question: names}\n")
    done = run("report", file, "--day", "2026-11-20", "--store", store, "-o", "out")
    assert (done.returncode, done.stdout) == (1, "out/report.html\n"), done.stderr
    assert done.stderr.startswith(f'tidegate: {file}: section "Mine": SQL: ')
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "out" / "hosts.csv").exists()
    file.write_text("sections:\n  - {title: Mine, sqll: SELECT 1}\n")
    done = run("report", file, "--day", "2026-11-20", "--store", store, "-o", "out")
    assert done.returncode == 2
    assert f'{file}:2: unknown key "sqll"; did you mean "sql"?' in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], 'there is no report "nope"'),
        (["ping"], 'did you mean "pings"?'),
        (["pings", "--last", "24h", "--day", "today"], "a report has one window"),
        (["pings", "--last", "x"], "is no duration"),
        (["pings", "--from", "25:00"], "is no time of day"),
        (["pings", "--day", "tomorrow"], '"tomorrow" is yet to come'),
        (["pings", "--day", "2199-01-01"], '"2199-01-01" is yet to come'),
        (["pings", "--day", "2026-02-30"], '"2026-02-30" is no day: write today, yesterday or 2026-11-20'),
        (["pings", "--zone", "Mars/Base"], "is no time zone"),
        (["pings", "-r", "missing.pcap"], "missing.pcap: no such file"),
        (["pings", "-r", "."], "is a directory"),
        (["pings", "-r", "x", "--capture", "5s"], "one place to look"),
        (["pings", "--capture", "5s", "--day", "today"], "--capture makes the window itself"),
        (["pings", "icmp"], "a filter is for captures"),
        (["pings", "-i", "lo"], "add --capture TIME"),
        (["pings", "--place", "x.mmdb"], "add -r FILE"),
        (["pings", "--store", "nowhere"], "no store here yet"),
        (["-o", ""], "an empty path"),
        (["-o", __file__], "is a file; -o takes a directory"),
    ],
)
def test_a_mistake_is_one_line(run: Run, words: list[str], said: str) -> None:
    done = run("report", *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_mail_that_is_not_set_up_is_said_before_anything_is_done(
    run: Run, store: Path, tmp_path: Path
) -> None:
    done = run("report", "pings", "--day", "2026-11-20", "--store", store, "-o", "out", "--mail")
    assert done.returncode == 2
    assert "set mail.to" in done.stderr
    assert not (tmp_path / "out").exists()  # it is said first, not after a capture of hours


def test_after_capturing(run: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    """Captures on the loopback while it is talked on."""
    if os.geteuid():
        pytest.skip("capturing takes root")
    words = ["report", "--capture", "4s", "-i", "lo", "-o", "out", "udp port 47123"]
    with (
        subprocess.Popen(
            [*TIDEGATE, *words],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talking,
    ):

        def say() -> bool:
            talking.sendto(b"hello", ("127.0.0.1", 47123))
            return program.poll() is not None

        wait_for(say, 60)
        out, err = program.communicate(timeout=30)
    assert program.returncode == 0, err
    assert err.startswith("tidegate: capturing for 4.00 s; Ctrl-C ends it early")
    assert out == "out/report.html\n"
    assert "127.0.0.1" in (tmp_path / "out" / "report.txt").read_text()


def test_the_help_loads_no_heavy_library() -> None:
    check = (
        "import sys; from tidegate.cli import load; load('report');"
        "sys.exit(any(name in sys.modules for name in ('matplotlib', 'jinja2', 'duckdb', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_after_capturing_nothing_it_says_so(run: Run) -> None:
    if os.geteuid():
        pytest.skip("capturing takes root")
    done = run("report", "pings", "--capture", "1s", "-i", "lo", "-o", "out", "udp port 1 and udp port 2")
    assert done.returncode == 0, done.stderr
    assert "There is nothing to report. The capture saw no packets." in done.stderr

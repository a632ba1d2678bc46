"""`tidegate ship`, and `elastic:` in the configuration, as a user meets them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from elastic_server import elastic
from helpers import TIDEGATE, Run, wait_for
from log_rows import conns
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.plain import Plain

CONFIG = """\
store: {path: s}
watch: {interfaces: lo, filter: "icmp", engine: {interim: 500ms}}
elastic:
  - name: one
    urls: [URL]
    bulk_wait: 100ms
    tables: [conn, icmp]
"""


def jsonl(count: int, first: int = 0) -> bytes:
    return Plain("jsonl", "conn").lines(conns(count, first))


def test_the_server_of_the_configuration_is_used(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(10))
    with elastic() as server:
        (tmp_path / "t.yml").write_text(CONFIG.replace("URL", server.url))
        done = run("ship", "--config", "t.yml", "a.jsonl")
        assert done.stdout.startswith("a.jsonl: 10 lines: 10 sent, 0 refused; ")
        assert done.returncode == 0
        assert run("ship", "--config", "t.yml", "--stream", "other", "a.jsonl").returncode == 0
        assert {name: len(found) for name, found in server.streams.items()} == {
            "tidegate-conn": 10,
            "other-conn": 10,
        }


def test_standard_input_and_several_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(Ecs().lines(conns(5)))
    with elastic() as server:
        done = run(
            "ship",
            "--url",
            server.url,
            "a.json",
            "-",
            input=b"".join(jsonl(10).splitlines(True)[3:]).decode(),
        )
    assert [line.partition(";")[0] for line in done.stdout.splitlines()] == [
        "a.json: 5 lines: 5 sent, 0 refused",
        "-: 7 lines: 5 sent, 2 there already, 0 refused",
    ]


def test_a_run_that_was_ended_goes_on_where_it_stopped(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(12_000))
    with elastic(200, 503) as server:
        words = [*TIDEGATE, "ship", "--url", server.url, "a.jsonl"]
        with subprocess.Popen(
            words, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            assert "the server answered 503" in process.stderr.readline()
            server.answers = [503] * 100
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=20)
        assert process.returncode == 130
        first = server.count()
        assert f"{first:,} sent" in said
        server.answers.clear()
        done = run("ship", "--url", server.url, "a.jsonl")
        assert f"{12_000 - first:,} lines (went on after" in done.stdout
        assert f"{12_000 - first:,} sent, 0 refused" in done.stdout
        assert server.count() == 12_000


def test_what_is_refused_and_not_understood_is_told_and_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(10) + b"hello\x1b[31m\n\n")
    with elastic(refuse=lambda source: (400, "x") if source["source"]["port"] == 3 else None) as server:
        done = run("ship", "--url", server.url, "a.jsonl")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("a.jsonl: 12 lines: 9 sent, 1 refused, 1 not understood, 1 blank; ")
    assert lines[1:] == ["  1 refused: x: because of x", "  1 not understood: no JSON"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no server: name one with --url, or under elastic: in the configuration"),
        (("--url", "http://127.0.0.1:1"), "no file to send; - is standard input"),
        (("--url", "localhost", "x"), "its URL is none"),
        (("--url", "http://127.0.0.1:1", "--to", "x", "x"), "it does not go with --url"),
        (("--user", "x", "x"), "go with --url"),
        (("--url", "http://127.0.0.1:1", "--zone", "Mars", "x"), '"Mars" is no time zone'),
        (("--url", "http://127.0.0.1:1", "--table", "cnn", "x"), 'there is no table "cnn"'),
        (("--url", "http://127.0.0.1:1", "--stream", "Über", "x"), "--stream: small letters"),
    ],
)
def test_what_is_asked_wrongly(words: tuple[str, ...], said: str, run: Run) -> None:
    done = run("ship", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_and_the_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(2))
    with elastic() as server:
        done = run("ship", "--url", server.url, "nothing", "a.jsonl", "nothing")
    assert done.returncode == 1
    assert done.stderr.count("nothing: no such file") == 2
    assert done.stdout.startswith("a.jsonl: 2 lines: 2 sent")
    assert done.stdout.count("\n") == 1


def test_templates_are_printed(run: Run) -> None:
    done = run("ship", "--templates")
    assert done.stdout == run("ship", "--url", "http://127.0.0.1:1", "--templates").stdout
    found = {each["name"]: each["body"] for each in map(json.loads, done.stdout.splitlines())}
    assert {"tidegate-conn", "tidegate-eve", "tidegate-autonapt"} <= found.keys()
    assert found["tidegate-conn"]["index_patterns"] == ["tidegate-conn"]


def test_config_check_finds_mistakes_and_asks_nobody(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text(CONFIG.replace("URL", "http://127.0.0.1:1"))
    assert run("config", "check", "t.yml").returncode == 0
    wrong = CONFIG.replace("URL", "http://127.0.0.1:1") + "    password: hunter2\n    user: ann\n"
    (tmp_path / "t.yml").write_text(wrong)
    done = run("config", "check", "t.yml")
    assert done.returncode == 2
    assert "t.yml:8: elastic[0].password: a secret does not belong here" in done.stderr
    assert "hunter2" not in done.stderr
    (tmp_path / "t.yml").write_text(
        CONFIG + '  - {name: one, urls: "https://x", tables: nope, filter: "(", full: no}\n'
    )
    done = run("config", "check", "t.yml")
    assert "t.yml:8: elastic[1].full: one of oldest, newest is expected" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_a_running_tidegate_sends_says_so_and_keeps_what_waits(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    with elastic() as server:
        (tmp_path / "t.yml").write_text(CONFIG.replace("URL", server.url))
        words = [*TIDEGATE, "run", "--config", "t.yml"]

        def part() -> dict[str, str]:
            done = run("control", "--config", "t.yml", "--json")
            parts = json.loads(done.stdout).get("parts", []) if done.returncode == 0 else []
            return next((each for each in parts if each["name"] == "elastic one"), {})

        def ping() -> None:
            subprocess.run(["ping", "-q", "-c", "1", "127.0.0.1"], check=True, capture_output=True)

        with subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(part)
                ping()
                wait_for(server.count)
                wait_for(lambda: " sent to tidegate-*" in part()["said"])
                server.answers = [503] * 1000
                ping()
                wait_for(lambda: "the server answered 503" in part()["error"])
            finally:
                process.terminate()
        before = server.count()
        assert list((tmp_path / "s" / "elastic" / "one").glob("*.bulk"))
        server.answers = []
        with subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(lambda: server.count() > before)
            finally:
                process.terminate()

"""What the doctor says of this machine, of a poor one, and of a wrong configuration."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mmdb
from helpers import TIDEGATE, Run
from tidegate.doctor.finding import Finding
from tidegate.doctor.machine import check_clock, check_disk
from tidegate.doctor.places import check_places
from tidegate.model.config import Config, PlaceSettings, StoreSettings


def first(findings: Iterator[Finding]) -> Finding:
    return next(findings)


def test_a_machine_that_works(run: Run) -> None:
    done = run("doctor")
    assert "ok       filters     libpcap compiles them" in done.stdout
    assert "limited  terminal    the output is none" in done.stdout
    assert "ok       settings" in done.stdout
    if os.geteuid() == 0:
        assert "ok       capture     packet rings, as root" in done.stdout
        assert done.returncode == 0


def test_a_wrong_configuration_is_the_first_thing_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text("sotre: 1\n")
    done = run("doctor", "--config", "t.yml")
    assert done.returncode == 1
    assert done.stdout.startswith('BROKEN   settings    t.yml:1: unknown key "sotre"')
    assert "mend it: tidegate config check" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to become an ordinary user")
def test_an_ordinary_user_is_told_what_is_missing() -> None:
    # Imported as root: the packages may lie where only root can look.
    script = (
        "import os; from tidegate.doctor.capture import check_rights;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); print(next(check_rights()))"
    )
    done = subprocess.run([TIDEGATE[0], "-c", script], capture_output=True, text=True)
    assert "not permitted for this user" in done.stdout, done.stderr
    assert "sudo tidegate watch" in done.stdout


def test_a_store_without_room(tmp_path: Path) -> None:
    def found(**settings: int) -> Finding:
        store = StoreSettings(path=str(tmp_path / "a" / "b"), **settings)
        return first(check_disk(Config(store=store)))

    assert found(keep_free=1, keep_bytes=1).verdict == "ok"
    assert found(keep_free=1, keep_bytes=1 << 60).verdict == "limited"
    assert found(keep_free=1 << 60).verdict == "broken"
    assert str(tmp_path) in found(keep_free=1 << 60).fix


def test_a_clock_that_was_never_set() -> None:
    assert first(check_clock(datetime(1970, 1, 1, tzinfo=UTC))).verdict == "broken"
    assert first(check_clock(datetime(2026, 11, 20, tzinfo=UTC))).verdict in ("ok", "limited")


def test_databases_of_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "tidegate" / "places"
    nothing = list(check_places(Config(), datetime.now(UTC)))
    if not Path("/var/lib/tidegate/places").exists():
        assert [finding.verdict for finding in nothing] == ["limited"]
        assert "DB-IP Lite" in nothing[0].fix
        assert str(folder) in nothing[0].fix
    file = mmdb.write(tmp_path / "x.mmdb", {"8.8.8.8/32": {"country_code": "US"}}, "Some-Kind")
    (tmp_path / "y.mmdb").write_bytes(b"none")
    named = Config(places=PlaceSettings((str(file), str(tmp_path / "y.mmdb"), str(tmp_path / "z.mmdb"))))
    found = list(check_places(named, datetime.now(UTC)))
    assert [finding.verdict for finding in found] == ["ok", "broken", "broken"]
    assert f"{file}: Some-Kind of 20" in found[0].text
    assert first(check_places(named, datetime(2099, 1, 1, tzinfo=UTC))).verdict == "limited"

"""What the doctor says of this machine, of a poor one, and of a wrong configuration."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mmdb
from helpers import TIDEGATE, Run, open_to_all
from tidegate.doctor import programs
from tidegate.doctor.capture import check_filters, check_interfaces
from tidegate.doctor.files import check_files, check_store
from tidegate.doctor.finding import Finding
from tidegate.doctor.machine import check_clock
from tidegate.doctor.places import check_places
from tidegate.model.config import (
    Config,
    LogSettings,
    PlaceSettings,
    RecordSettings,
    ServiceSettings,
    StoreSettings,
    WatchSettings,
)


def first(findings: Iterator[Finding]) -> Finding:
    return next(findings)


def test_a_machine_that_works(run: Run) -> None:
    done = run("doctor")
    assert "ok       filters     libpcap compiles them" in done.stdout
    assert "limited  terminal    the output is no terminal" in done.stdout
    assert "ok       settings" in done.stdout
    if os.geteuid() == 0:
        assert "ok       capture     packet rings, as root" in done.stdout
        assert done.returncode == 0


def test_a_wrong_configuration_is_the_first_thing_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text("sotre: 1\n")
    done = run("doctor", "--config", "t.yml")
    assert done.returncode == 1
    assert done.stdout.startswith('BROKEN   settings    t.yml:1: unknown key "sotre"')
    assert "mend it: edit it, then: tidegate config check t.yml" in done.stdout
    assert "mend it: create it, or name another, then:" in run("doctor", "--config", "gone.yml").stdout
    (tmp_path / "t.yml").write_text("sotre: 1\nwtch: 1\nwatch: {interfaces: eth77}\nstore: {path: /proc/x}\n")
    said = run("doctor", "--config", "t.yml").stdout
    assert said.count("BROKEN   settings ") == 3
    assert "limited  interfaces  not there: eth77; tidegate run waits" in said


def test_interfaces_that_are_named_are_looked_for() -> None:
    def found(*names: str) -> Finding:
        return first(check_interfaces(Config(watch=WatchSettings(interfaces=names))))

    assert found("lo").verdict == "ok"
    assert found("lo").text.startswith("lo;")
    assert found("any").text == found().text
    assert found("lo", "nope0").verdict == "limited"
    assert found("lo", "nope0").text.startswith("not there: nope0; tidegate run waits, watch does not")
    assert "There are: lo" in found("lo", "nope0").text


def test_the_filter_of_the_configuration_is_compiled() -> None:
    def found(filter: str) -> Finding:
        return first(check_filters(Config(watch=WatchSettings(filter=filter))))

    assert found("udp port 53").verdict == "ok"
    assert found("tcp prt 80").verdict == "broken"
    assert "tcp prt 80" in found("tcp prt 80").text


AS_NOBODY = "os.setgroups([]); os.setgid(65534); os.setuid(65534);"


def as_ordinary_user(imports: str, then: str) -> str:
    """What a script prints; imported as root, since the packages may lie where only root can look."""
    script = f"import os; {imports}; {AS_NOBODY} {then}"
    done = subprocess.run([TIDEGATE[0], "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to become an ordinary user")
def test_an_ordinary_user_is_told_what_is_missing() -> None:
    capture = "from tidegate.doctor.capture import check_rights"
    said = as_ordinary_user(capture, "print(next(check_rights()))")
    assert "not permitted for this user" in said
    assert "sudo tidegate watch" in said
    programs = "from tidegate.model.config import Config; from tidegate.doctor.programs import check_programs"
    said = as_ordinary_user(programs, "print(next(check_programs(Config())))")
    assert "limited" in said
    assert "sudo tidegate" in said
    assert "mount -t" not in said.partition("fix=")[2]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to become an ordinary user")
def test_an_ordinary_user_is_told_what_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    imports = (
        "from tidegate.model.config import Config, LogSettings, StoreSettings;"
        "from tidegate.doctor.files import check_files, check_store"
    )
    store = as_ordinary_user(
        imports, f"print(next(check_store(Config(store=StoreSettings(path='{tmp_path}/a/b')))))"
    )
    assert "broken" in store
    assert "not writable for this user" in store
    assert "sudo" in store
    logs = "(LogSettings(name='a', path='/etc/passwd'), LogSettings(name='b', path='/tmp/is/not/there'))"
    said = as_ordinary_user(imports, f"print(*check_files(Config(logs={logs})), sep='\\n')").splitlines()
    assert "/etc/passwd is not writable" in said[0]
    assert "mkdir -p /tmp/is/not" in said[1]


def test_logs_and_recordings_have_a_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    paths = ("-", str(tmp_path / "new"), str(tmp_path / "file"), str(tmp_path / "file" / "below"))
    logs = tuple(LogSettings(name=path, path=path) for path in paths)
    watch = WatchSettings(record=RecordSettings(str(tmp_path)))
    found = list(check_files(Config(logs=logs, watch=watch)))
    assert [(one.what, one.verdict) for one in found] == [
        ("logs", "ok"), ("logs", "ok"), ("logs", "broken"), ("recording", "broken"),
    ]  # fmt: skip
    assert found[2].text.endswith("file is no directory")


def test_a_store_without_room(tmp_path: Path) -> None:
    def found(**settings: int) -> Finding:
        store = StoreSettings(path=str(tmp_path / "a" / "b"), **settings)
        return first(check_store(Config(store=store)))

    assert found(keep_free=1, keep_bytes=1).verdict == "ok"
    assert found(keep_free=1, keep_bytes=1 << 60).verdict == "limited"
    assert found(keep_free=1 << 60).verdict == "broken"
    assert str(tmp_path) in found(keep_free=1 << 60).fix


def test_a_store_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, why in (("/proc/nope", "/proc is no disk"), (tmp_path / "file", "is no directory")):
        finding = first(check_store(Config(store=StoreSettings(path=str(path)))))
        assert finding.verdict == "broken"
        assert why in finding.text
        assert "store.path" in finding.fix
        assert "0 B" not in finding.fix
        assert "sudo" not in finding.fix


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to look for another user")
def test_root_is_told_what_the_user_of_the_service_cannot_write(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    paths = [tmp_path / "theirs" / "a", tmp_path / "b", tmp_path / "new" / "c"]
    logs = tuple(LogSettings(name=path.name, path=str(path)) for path in paths)
    theirs, ours, made = check_files(Config(logs=logs, service=ServiceSettings(user="nobody")))
    assert theirs.verdict == "ok"
    assert ours.verdict == "broken"
    assert ours.text.endswith(f"{tmp_path} is not writable for nobody (service.user)")
    assert ours.fix.startswith(f"chown nobody {tmp_path}, or")
    assert made.verdict == "ok"
    assert os.geteuid() == 0
    assert [one.verdict for one in check_files(Config(logs=logs))] == ["ok"] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: to become an ordinary user")
def test_nobody_is_told_of_a_disk_that_is_none_not_of_rights() -> None:
    imports = (
        "from tidegate.model.config import Config, StoreSettings;"
        "from tidegate.doctor.files import check_store"
    )
    said = as_ordinary_user(
        imports, "print(next(check_store(Config(store=StoreSettings(path='/proc/nope')))))"
    )
    assert "/proc is no disk" in said
    assert "sudo" not in said


def test_tracing_that_is_closed_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "bpf: tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing"
    monkeypatch.setattr(programs, "_is_mounted", lambda kind: True)
    assert programs._true(why) == "bpf: tracefs is there, but not for this user"
    assert programs._true("not permitted") == "not permitted"
    monkeypatch.setattr(programs, "_is_mounted", lambda kind: False)
    assert programs._true(why) == why


def test_a_database_that_cannot_be_used_is_told_how_to_mend(tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_bytes(b"none")
    names = (str(tmp_path / "gone.mmdb"), str(tmp_path / "x.mmdb"))
    gone, wrong = check_places(Config(places=PlaceSettings(names)), datetime.now(UTC))
    assert gone.fix == "put it there, or mend places.databases"
    assert wrong.fix.startswith("get it anew, or remove it")


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

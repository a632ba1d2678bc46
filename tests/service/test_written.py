"""What each system is told, from one description; the unit as systemd's own programs judge it."""

import plistlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers import Run
from tidegate.helper import capabilities
from tidegate.helper.launch import _kept
from tidegate.model.errors import UsageError
from tidegate.service import systemd
from tidegate.service.description import HOMES, Description, describe, own_files
from tidegate.service.launchd import LABEL, plist
from tidegate.service.system import ServiceError, this_system
from tidegate.service.unit import sysusers, unit, written_to
from tidegate.service.windows import HOST, entry

EXPOSURE = 25
"""Tenths; of 100, which is no shelter at all."""
DESCRIPTION = Description(("/usr/bin/python3", "-m", "tidegate", "run", "--worker"))


def settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.M):
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def analyze(tmp_path: Path) -> "Analyze":
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here: apt install systemd")
    return Analyze(tmp_path)


class Analyze:
    """systemd-analyze over a unit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, verb: str, text: str, *words: str) -> subprocess.CompletedProcess[str]:
        file = self._folder / "tidegate.service"
        file.write_text(text)
        return subprocess.run(
            ["systemd-analyze", verb, "--no-pager", *words, str(file)],
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.mark.parametrize("files", [(), (Path("/home/me/my venv"),)], ids=["system", "home"])
def test_systemd_finds_nothing_wrong_and_little_exposed(
    analyze: Analyze, files: tuple[Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    made = replace(
        DESCRIPTION, program=(shutil.which("true") or "/bin/true",), files=files, credentials=("smtp",)
    )
    text = unit(made)
    done = analyze("verify", text)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    judged = analyze("security", text, "--offline=true", f"--threshold={EXPOSURE}")
    verdict = judged.stdout.strip().splitlines()[-1]
    with capsys.disabled():
        print(f"\n{verdict}")
    assert judged.returncode == 0, judged.stdout


def test_the_unit_has_the_rights_of_the_helper_and_no_other() -> None:
    given = settings(unit(DESCRIPTION))
    rights = {f"CAP_{name}" for name in DESCRIPTION.rights}
    assert set(given["CapabilityBoundingSet"][0].split()) == rights
    assert set(given["AmbientCapabilities"][0].split()) == rights
    if capabilities.last() >= capabilities.BPF:
        assert {getattr(capabilities, name) for name in DESCRIPTION.rights} == _kept()
    assert describe(None, fine=False).rights[-1] == "SYS_ADMIN"


def test_strange_paths_stay_one_word() -> None:
    strange = 'a b"c%d$e\\f'
    text = unit(replace(DESCRIPTION, program=("/x/python", strange), files=(Path("/home/x y"),)))
    assert settings(text)["ExecStart"] == ['/x/python "a b\\"c%%d$$e\\\\f"']
    assert settings(text)["BindReadOnlyPaths"] == ['"/home/x y"']


@pytest.mark.parametrize(
    "given",
    [
        {"config": Path("/etc/a\nExecStartPre=/bin/evil.yml")},
        {"config": Path("/etc/\x1b[2J.yml")},
        {"writes": [Path("/srv/a\nUser=root")]},
        {"user": "x\nUser=root"},
        {"user": "a b"},
        {"user": "%i"},
        {"user": "../x"},
    ],
)
def test_names_that_would_write_a_unit_of_their_own_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"no name of a user|no service can be told") as refused:
        describe(**{"config": None, **given})
    assert str(refused.value).isprintable()


def test_of_homes_only_the_program_is_seen() -> None:
    assert settings(unit(DESCRIPTION))["ProtectHome"] == ["yes"]
    inside = replace(DESCRIPTION, files=(Path("/home/me/venv"), Path("/usr")))
    assert settings(unit(inside))["ProtectHome"] == ["tmpfs"]
    assert settings(unit(inside))["BindReadOnlyPaths"] == ["/home/me/venv"]


def test_a_place_to_write_outside_its_own_is_let_through() -> None:
    made = describe(None, writes=[Path("/srv/logs"), Path("/srv/logs/a"), Path("/var/log/tidegate/x")])
    assert settings(unit(made))["ReadWritePaths"] == ["/srv/logs"]


def test_the_places_it_wrote_to_are_found_in_the_unit() -> None:
    places = ["/srv/100%", "/srv/a b", '/srv/a"c%d\\e', "/srv/plain"]
    text = unit(replace(DESCRIPTION, writes=tuple(map(Path, places))))
    assert written_to(text) == places


def test_the_program_s_own_folders_are_known() -> None:
    import sys

    import tidegate

    found = own_files()
    for path in (sys.executable, Path(sys.executable).resolve(), tidegate.__file__):
        assert any(Path(path).is_relative_to(one) for one in found), path
    assert not any(home == path for home in (*HOMES, Path("/")) for path in found)


def test_the_user_is_made_by_systemd() -> None:
    assert 'u tidegate - "Tidegate" /var/lib/tidegate\n' in sysusers(DESCRIPTION)


def test_launchd_is_told_the_same() -> None:
    told = plistlib.loads(plist(replace(DESCRIPTION, auto=True)).encode())
    assert told["Label"] == LABEL
    assert told["ProgramArguments"] == list(DESCRIPTION.program)
    assert told["RunAtLoad"] is True
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert plistlib.loads(plist(DESCRIPTION).encode())["RunAtLoad"] is False


def test_windows_is_told_the_same() -> None:
    told = entry(replace(DESCRIPTION, auto=True))
    assert (told.host, told.start, told.program) == (HOST, "automatic, delayed", DESCRIPTION.program)
    assert entry(DESCRIPTION).start == "by hand"


def test_every_system_shows_what_it_would_write() -> None:
    for platform in ("linux", "darwin", "win32"):
        written = this_system(platform).written(DESCRIPTION)
        assert any("--worker" in text for text in written.values()), platform


def test_print_writes_nothing_and_checks_the_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text("logs: [{name: a, path: /srv/tidegate/a.tsv, format: conmon}]\n")
    done = run("service", "install", "--print", "--auto", "--config", "t.yml")
    assert done.returncode == 0, done.stderr
    given = settings(done.stdout)
    assert given["ExecStart"][0].endswith(f"-m tidegate run --worker --config {tmp_path}/t.yml")
    assert given["ReadWritePaths"] == ["/srv/tidegate"]
    assert "# /etc/systemd/system/tidegate.service" in done.stdout
    (tmp_path / "t.yml").write_text("sotre: 1\n")
    done = run("service", "install", "--print", "--config", "t.yml")
    assert (done.returncode, done.stdout) == (2, "")
    assert 't.yml:1: unknown key "sotre"' in done.stderr


def test_passwords_that_the_configuration_wants_come_from_systemd(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text("# password_file: ${CREDENTIALS_DIRECTORY}/smtp\n")
    done = run("service", "install", "--print", "--config", "t.yml")
    assert settings(done.stdout)["LoadCredential"] == ["smtp:/etc/tidegate/credentials/smtp"]


def test_a_unit_that_somebody_else_wrote_is_neither_written_over_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "tidegate.service"
    theirs.write_bytes(b"[Unit]\nDescription=Gezeitentor \xfc\n")
    for name, value in {"UNIT": theirs, "need_root": lambda _: None, "_must_run_here": lambda: None}.items():
        monkeypatch.setattr(systemd, name, value)
    monkeypatch.setattr(systemd, "must", lambda *words: pytest.fail(" ".join(words)))
    system = systemd.Systemd()
    for attempt in (lambda: system.install(DESCRIPTION), lambda: system.remove(False)):
        with pytest.raises(ServiceError, match="is not ours; move it away first"):
            attempt()
    assert theirs.exists()

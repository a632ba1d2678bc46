"""The service under systemd: what systemctl is asked for."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from tidegate.helper import handover, identity
from tidegate.service.description import (
    CACHE,
    CREDENTIALS,
    LOGS,
    NAME,
    RESTART,
    SETTINGS,
    STORE,
    USER,
    Description,
    changeable_by,
    hidden,
)
from tidegate.service.system import (
    NOT_INSTALLED,
    PATIENCE,
    RUNNING,
    STOPPED,
    ServiceError,
    State,
    installed,
    missing,
    must,
    need_root,
    ran,
    removed,
    write,
)
from tidegate.service.unit import HEAD, SYSUSERS, UNIT, sysusers, unit, written_to
from tidegate.store.layout import Layout
from tidegate.store.lock import is_written

_ASKED = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "MainPID",
    "StatusText",
    "NRestarts",
    "Result",
    "ExecMainStatus",
)


class Systemd:
    """systemd, as its own commands show it."""

    def written(self, description: Description) -> dict[str, str]:
        """The unit, and the user's line where the user is ours."""
        files = {str(UNIT): unit(description)}
        return files | ({str(SYSUSERS): sysusers(description)} if description.user == USER else {})

    def install(self, description: Description) -> list[str]:
        """Makes the user, writes the unit, and has it start with the machine if that is wanted."""
        need_root("install")
        _must_run_here()
        _must_be_ours()
        files = self.written(description)
        changed = [path for path, text in files.items() if write(Path(path), text)]
        if description.user == USER:
            must("systemd-sysusers", str(SYSUSERS))
        for folder in description.writes:
            handover.prepare_folder(folder, identity.named(description.user))
        must("systemctl", "daemon-reload")
        if description.auto:  # without, what an earlier call said stands
            must("systemctl", "--quiet", "enable", NAME)
        return [
            *(f"wrote {path}" for path in changed),
            *_notes(description),
            self._next(changed),
        ]

    def _next(self, changed: list[str]) -> str:
        facts = self._facts()
        if facts["ActiveState"] != "active":
            return installed(facts["UnitFileState"] == "enabled")
        if changed:
            return "it runs as it was started; take the new one with: tidegate service restart"
        return f"nothing has changed in its files, and it runs; it {_begins(facts)}"

    def start(self) -> str:
        """Starts it, and waits until its capture is open."""
        need_root("start")
        self._must_be_there()
        if self._facts()["ActiveState"] in ("active", "reloading"):
            return f"the service runs already, pid {self._facts()['MainPID']}"
        return self._up("start")

    def stop(self) -> str:
        """Ends it, with everything written."""
        need_root("stop")
        self._must_be_there()
        if self._facts()["ActiveState"] in ("inactive", "failed"):
            return "the service does not run"
        must("systemctl", "stop", NAME)
        return "stopped"

    def restart(self) -> str:
        """Ends it if it runs, and starts it."""
        need_root("restart")
        self._must_be_there()
        return self._up("restart")

    def _up(self, verb: str) -> str:
        if ran("systemctl", verb, NAME, patience=PATIENCE).returncode:
            again = (
                f"; tried again every {RESTART:.0f} s" if self._facts()["SubState"] == "auto-restart" else ""
            )
            raise ServiceError(
                f"the service did not start{_reason(self._facts())}; see journalctl -u {NAME}{again}"
            )
        facts = self._facts()
        waits = facts["StatusText"].partition("; ")[2]
        return f"started, pid {facts['MainPID']}{f': {waits}' if waits else ''}"

    def state(self) -> State:
        """What systemd knows of it."""
        _must_run_here()
        facts = self._facts()
        if facts["LoadState"] == "not-found":
            return NOT_INSTALLED
        auto = _begins(facts)
        if facts["ActiveState"] in ("active", "reloading"):
            lines = [f"running, pid {facts['MainPID']}, {auto}"]
            lines += [facts["StatusText"]] if facts["StatusText"] else []
            lines += (
                [f"started again {facts['NRestarts']} times"] if facts["NRestarts"] not in ("", "0") else []
            )
            return State(RUNNING, (*lines, "more: tidegate control status"))
        why = f" ({facts['Result']})" if facts["Result"] not in ("", "success") else ""
        more = (f"more: journalctl -u {NAME}",) if why else ()
        return State(STOPPED, (f"not running, {facts['ActiveState']}{why}, {auto}", *more))

    def remove(self, purge: bool) -> list[str]:
        """Stops it and takes its files away; store, logs and settings stay, unless with `purge`."""
        need_root("remove")
        _must_run_here()
        _must_be_ours()
        there = UNIT.exists()
        said = _taken_out() if there else []
        if purge:
            said += _purged()
        elif there:
            said += _left()
        return said or ["not installed"]

    def _facts(self) -> dict[str, str]:
        said = must("systemctl", "show", NAME, f"--property={','.join(_ASKED)}")
        found = dict(line.partition("=")[::2] for line in said.splitlines())
        return {name: found.get(name, "") for name in _ASKED}

    def _must_be_there(self) -> None:
        _must_run_here()
        if self._facts()["LoadState"] == "not-found":
            raise missing()


def _begins(facts: dict[str, str]) -> str:
    return "starts with the machine" if facts["UnitFileState"] == "enabled" else "is started by hand"


def _must_run_here() -> None:
    if not Path("/run/systemd/system").is_dir():
        raise ServiceError(
            "systemd does not run here; what it would be told: tidegate service install --print; "
            "or run it under what this machine has: tidegate run"
        )


def _must_be_ours() -> None:
    """Neither written over nor removed is a unit of our name that somebody else wrote."""
    if UNIT.exists() and not UNIT.read_text(errors="replace").startswith(HEAD):
        raise ServiceError(f"{UNIT} is not ours; move it away first")


def _notes(description: Description) -> Iterator[str]:
    """What may surprise: who could change the program, and what its user cannot read."""
    own = hidden(description.files)
    for path, owner in changeable_by(description.files):
        yield f"note: {_name(owner)} can change {path}, and thereby has the rights of the service"
    who = identity.named(description.user)
    config = description.config or SETTINGS / "tidegate.yml"
    with identity.acting_as(who):
        unread = [path for path in description.files if path not in own and not _readable(path)]
        closed = [path for path in description.writes if not os.access(path, os.W_OK, effective_ids=True)]
        unread += [config] if _there(config) and not _readable(config) else []
    for path in unread:
        yield f"note: {who.name} cannot read {path}, and has to: chgrp {who.name} it, and chmod g+r"
    for path in closed:
        yield f"note: {who.name} cannot write to {path}, and has to: chown -R {who.name} it"
    for name in description.credentials:
        if not (CREDENTIALS / name).is_file():
            yield f"note: it will not start without {CREDENTIALS / name}: put the password there"


def _readable(path: Path) -> bool:
    return os.access(path, os.R_OK, effective_ids=True)


def _there(path: Path) -> bool:
    """Whether it is there, as far as may be seen."""
    try:
        return path.exists()
    except PermissionError:
        return True


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


_EXITS = {
    "203": "its program cannot be run",
    "217": "its user is not there",
    "226": "systemd could not shelter it",
    "243": f"a password is missing in {CREDENTIALS}",
}
"""What systemd means by an exit code of its own (systemd.exec(5))."""


def _reason(facts: dict[str, str]) -> str:
    """Why it did not start: systemd's reason, or its last words, if the journal has any."""
    if known := _EXITS.get(facts["ExecMainStatus"]):
        return f": {known}"
    try:
        done = ran(
            "journalctl", f"--unit={NAME}", "--lines=20", "--output=cat", "--no-pager", "--boot", patience=10
        )
    except ServiceError:
        return ""
    ours = [line for line in done.stdout.splitlines() if line.startswith("tidegate: ")]
    return f": {ours[-1].removeprefix('tidegate: ')}" if ours else ""


def _taken_out() -> list[str]:
    outside = written_to(UNIT.read_text(errors="replace"))
    must("systemctl", "--quiet", "disable", "--now", NAME)
    for path in (UNIT, SYSUSERS):
        path.unlink(missing_ok=True)
    must("systemctl", "daemon-reload")
    ran("systemctl", "--quiet", "reset-failed", NAME)
    return ["removed the service", *(f"left as it is: {folder}" for folder in outside)]


def _left() -> list[str]:
    there = [str(path) for path in (STORE, LOGS, SETTINGS) if path.exists()]
    return [f"left as they are: {', '.join(there)} (--purge: without store and logs)"] if there else []


def _purged() -> list[str]:
    if STORE.exists() and is_written(Layout(STORE)):
        raise ServiceError(f"{STORE} is being written to; end that Tidegate first")
    said = removed((STORE, LOGS, CACHE))
    # One of the same name that somebody made for something else lives elsewhere.
    if any(entry.pw_name == USER and entry.pw_dir == str(STORE) for entry in pwd.getpwall()):
        must("userdel", USER)
        said.append(f"removed the user {USER}")
    return [*said, *([f"left as they are: {SETTINGS}"] if SETTINGS.exists() else [])]

"""The service under launchd (macOS). Untested: no Mac has run it."""

import os
import plistlib
from pathlib import Path

from tidegate.service.description import NAME, RESTART, STOP, Description
from tidegate.service.system import (
    NOT_INSTALLED,
    RUNNING,
    STOPPED,
    State,
    installed,
    missing,
    must,
    need_root,
    ran,
    removed,
    write,
)
from tidegate.store.layout import SYSTEM_ROOT

LABEL = f"org.{NAME}.{NAME}"
PLIST = Path("/Library/LaunchDaemons") / f"{LABEL}.plist"
LOG = Path("/Library/Logs") / f"{NAME}.log"
_TARGET = f"system/{LABEL}"


def plist(description: Description) -> str:
    """The property list. It runs as root: capture asks for /dev/bpf, and the helper is Linux's alone."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": list(description.program),
            "RunAtLoad": description.auto,
            # Again after a failure only; not before it is wanted.
            "KeepAlive": {"SuccessfulExit": False} if description.auto else False,
            "ThrottleInterval": int(RESTART),
            "ExitTimeOut": int(STOP),
            "ProcessType": "Background",
            "StandardErrorPath": str(LOG),
            "Umask": 0o027,
        }
    ).decode()


class Launchd:
    """launchd, as launchctl shows it."""

    def written(self, description: Description) -> dict[str, str]:
        """The property list."""
        return {str(PLIST): plist(description)}

    def install(self, description: Description) -> list[str]:
        """Writes it; launchd takes it at the start, or with the machine."""
        need_root("install")
        changed = write(PLIST, plist(description))
        os.chown(PLIST, 0, 0)
        return [*([f"wrote {PLIST}"] if changed else []), installed(description.auto)]

    def start(self) -> str:
        """Loads it if it is not, and starts it."""
        need_root("start")
        self._must_be_there()
        if self._pid():
            return f"the service runs already, pid {self._pid()}"
        if ran("launchctl", "print", _TARGET).returncode:
            must("launchctl", "bootstrap", "system", str(PLIST))
        must("launchctl", "kickstart", _TARGET)
        return f"started; it writes to {LOG}"

    def stop(self) -> str:
        """Unloads it, which ends it."""
        need_root("stop")
        self._must_be_there()
        if ran("launchctl", "print", _TARGET).returncode:
            return "the service does not run"
        must("launchctl", "bootout", _TARGET)
        return "stopped"

    def restart(self) -> str:
        """Ends it if it runs, and starts it."""
        need_root("restart")
        self.stop()
        return self.start()

    def state(self) -> State:
        """What launchd knows of it."""
        if not PLIST.exists():
            return NOT_INSTALLED
        pid = self._pid()
        if pid:
            return State(RUNNING, (f"running, pid {pid}", "more: tidegate control status"))
        return State(STOPPED, ("not running", f"more: {LOG}"))

    def remove(self, purge: bool) -> list[str]:
        """Unloads it and takes its file away; the store stays, unless with `purge`."""
        need_root("remove")
        said = ["not installed"]
        if PLIST.exists():
            ran("launchctl", "bootout", _TARGET)
            PLIST.unlink()
            said = ["removed the service"]
        return said + (removed((SYSTEM_ROOT,)) if purge else [])

    def _pid(self) -> str:
        for line in ran("launchctl", "print", _TARGET).stdout.splitlines():
            name, _, value = line.strip().partition(" = ")
            if name == "pid":
                return value
        return ""

    def _must_be_there(self) -> None:
        if not PLIST.exists():
            raise missing()

"""The service under Windows, through pywin32. Untested: no Windows has run it."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tidegate.service.description import NAME, RESTART, SUMMARY, TITLE, Description
from tidegate.service.system import (
    NOT_INSTALLED,
    RUNNING,
    STOPPED,
    ServiceError,
    State,
    installed,
    missing,
    removed,
)
from tidegate.store.layout import default_root

HOST = "tidegate.service.windows_host.TidegateService"
"""The class that the service manager runs; it starts `tidegate run`."""

_DELAYED, _BY_HAND = "automatic, delayed", "by hand"
_PROGRAM = "Program"
_PATIENCE = 90
_FORGOTTEN = 86400
"""Seconds after which failures no longer count."""


@dataclass(frozen=True)
class Entry:
    """What the service manager is told."""

    name: str
    title: str
    summary: str
    host: str
    start: str
    program: tuple[str, ...]

    def text(self) -> str:
        """To be read."""
        return (
            f"name     {self.name}\ntitle    {self.title}\nsummary  {self.summary}\nclass    {self.host}\n"
            f"start    {self.start}\nprogram  {' '.join(self.program)}\n"
            f"failure  started again after {RESTART:.0f} s\n"
        )


def entry(description: Description) -> Entry:
    """The service as the manager knows it; it runs as LocalSystem, as capture through Npcap wants."""
    start = _DELAYED if description.auto else _BY_HAND
    return Entry(NAME, TITLE, SUMMARY, HOST, start, description.program)


class Windows:
    """The service manager."""

    def written(self, description: Description) -> dict[str, str]:
        """Its entry."""
        return {"service manager": entry(description).text()}

    def install(self, description: Description) -> list[str]:
        """Makes the entry, or alters the one that is there."""
        made = entry(description)
        util, service = _module("win32serviceutil"), _module("win32service")
        auto = made.start == _DELAYED
        given = {
            "startType": service.SERVICE_AUTO_START if auto else service.SERVICE_DEMAND_START,
            "displayName": made.title,
            "description": made.summary,
            "delayedstart": auto,
        }
        change = util.ChangeServiceConfig if self._known() else util.InstallService
        self._tried(change, made.host, made.name, **given)
        self._tried(util.SetServiceCustomOption, made.name, _PROGRAM, "\0".join(made.program))
        self._tried(_start_again, service)
        return [installed(auto)]

    def start(self) -> str:
        """Starts it, and waits until it runs."""
        if self._status() == _module("win32service").SERVICE_RUNNING:
            return "the service runs already"
        util = _module("win32serviceutil")
        self._tried(util.StartService, NAME)
        self._tried(util.WaitForServiceStatus, NAME, _module("win32service").SERVICE_RUNNING, _PATIENCE)
        return "started; what it says is in the event log, Application"

    def stop(self) -> str:
        """Ends it, and waits for that."""
        if self._status() == _module("win32service").SERVICE_STOPPED:
            return "the service does not run"
        util = _module("win32serviceutil")
        self._tried(util.StopService, NAME)
        self._tried(util.WaitForServiceStatus, NAME, _module("win32service").SERVICE_STOPPED, _PATIENCE)
        return "stopped"

    def restart(self) -> str:
        """Ends it if it runs, and starts it."""
        self.stop()
        return self.start()

    def state(self) -> State:
        """What the manager knows of it."""
        if not self._known():
            return NOT_INSTALLED
        if self._status() == _module("win32service").SERVICE_RUNNING:
            return State(RUNNING, ("running", "more: tidegate control status"))
        return State(STOPPED, ("not running", "more: the event log, Application"))

    def remove(self, purge: bool) -> list[str]:
        """Ends it and takes its entry away; the store stays, unless with `purge`."""
        said = ["not installed"]
        if self._known():
            self.stop()
            self._tried(_module("win32serviceutil").RemoveService, NAME)
            said = ["removed the service"]
        return said + (removed((Path(default_root()),)) if purge else [])

    def _known(self) -> bool:
        try:
            _module("win32serviceutil").QueryServiceStatus(NAME)
        except _module("pywintypes").error:
            return False
        return True

    def _status(self) -> int:
        if not self._known():
            raise missing()
        return int(_module("win32serviceutil").QueryServiceStatus(NAME)[1])

    def _tried(self, call: Any, *words: Any, **given: Any) -> None:
        try:
            call(*words, **given)
        except _module("pywintypes").error as error:
            raise ServiceError(f"{error.strerror}; an administrator's prompt may be needed") from None


def _start_again(service: Any) -> None:
    """Three times after five seconds each, counted anew after a day."""
    manager = service.OpenSCManager(None, None, service.SC_MANAGER_ALL_ACCESS)
    handle = service.OpenService(manager, NAME, service.SERVICE_ALL_ACCESS)
    again = (service.SC_ACTION_RESTART, int(RESTART * 1000))
    service.ChangeServiceConfig2(
        handle,
        service.SERVICE_CONFIG_FAILURE_ACTIONS,
        {"ResetPeriod": _FORGOTTEN, "RebootMsg": "", "Command": "", "Actions": [again] * 3},
    )
    service.CloseServiceHandle(handle)
    service.CloseServiceHandle(manager)


def _module(name: str) -> Any:
    """Of pywin32, which only Windows has."""
    try:
        return import_module(name)
    except ImportError:
        raise ServiceError(f"{name} of pywin32 is not here; run: pip install pywin32") from None

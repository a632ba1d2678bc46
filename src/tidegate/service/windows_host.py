"""What Windows' service manager runs: it starts `tidegate run --worker` and ends it. Untested.

Only the manager imports this file; elsewhere there is no pywin32.
"""

import signal
import subprocess
from importlib import import_module
from typing import Any

from tidegate.service.description import NAME, STOP, SUMMARY, TITLE

_util: Any = import_module("win32serviceutil")
_service: Any = import_module("win32service")
_log: Any = import_module("servicemanager")


class TidegateService(_util.ServiceFramework):  # type: ignore[misc]
    """The service; its name and texts are the description's."""

    _svc_name_ = NAME
    _svc_display_name_ = TITLE
    _svc_description_ = SUMMARY

    def __init__(self, words: Any) -> None:
        super().__init__(words)
        self._worker: subprocess.Popen[str] | None = None
        self._ending = False

    def SvcDoRun(self) -> None:  # noqa: N802
        """Until the worker ends; what it says goes to the event log."""
        program = _util.GetServiceCustomOption(NAME, "Program").split("\0")
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        self._worker = subprocess.Popen(program, stderr=subprocess.PIPE, text=True, creationflags=flags)
        _log.LogInfoMsg(f"{TITLE} runs")
        for line in self._worker.stderr or ():
            _log.LogInfoMsg(line.rstrip())
        code = self._worker.wait()
        if code and not self._ending:
            _log.LogErrorMsg(f"{TITLE} ended with exit code {code}")
            raise SystemExit(code)

    def SvcStop(self) -> None:  # noqa: N802
        """Has the worker end as Ctrl-Break does, and waits for it."""
        self.ReportServiceStatus(_service.SERVICE_STOP_PENDING, waitHint=int(STOP * 1000))
        self._ending = True
        if self._worker:
            self._worker.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
            try:
                self._worker.wait(STOP)
            except subprocess.TimeoutExpired:
                self._worker.kill()

"""Action: one line of a log, wherever logging takes it."""

import logging

from tidegate.alerts.actions.notice import Notice

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


class LogAction:
    """Writes to the logger `tidegate.alerts`, by the alert's severity; that it is over is information."""

    def __init__(self) -> None:
        self._log = logging.getLogger("tidegate.alerts")

    def tell(self, notice: Notice) -> None:
        """One line, with nothing in it that a terminal acts on."""
        level = (
            logging.INFO if notice.recovered else _LEVELS.get(str(notice.data["severity"]), logging.WARNING)
        )
        name = notice.data["alert_id"]
        self._log.log(level, "%s [%s]", notice.line, name, extra={"alert_id": name})

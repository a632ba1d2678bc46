"""What the control socket can be asked about alerts: words, what they take, and plain data back."""

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.alerts.desk import Desk
from tidegate.alerts.stage import Alerts

Command = Callable[..., Mapping[str, Any]]


def commands(current: Callable[[], Alerts]) -> dict[str, Command]:
    """The words. `current` gives the stage that runs now: a reload makes a new one."""

    def alerts() -> dict[str, Any]:
        stage = current()
        return {
            "open": stage.desk.open_alerts(),
            "history": stage.desk.history(),
            "silences": stage.desk.silences(),
            "mutes": stage.desk.mutes(),
            "rules": stage.standings(),
            "counts": stage.counts(),
        }

    return {"alerts": alerts, **desk_commands(lambda: current().desk)}


def desk_commands(desk: Callable[[], Desk]) -> dict[str, Command]:
    """Those that need no stage."""

    def acknowledge(alert_id: str, who: str = "") -> dict[str, Any]:
        return {"alert": desk().acknowledge(alert_id, who)}

    def mute(seconds: float, rule: str | None = None) -> dict[str, Any]:
        desk().mute(rule, seconds)
        return {}

    def silence(
        rule: str | None = None,
        key: str | None = None,
        source: str | None = None,
        destination: str | None = None,
        seconds: float | None = None,
        who: str = "",
    ) -> dict[str, Any]:
        return {"silence_id": desk().silence(rule, key, source, destination, seconds, who)}

    def unsilence(silence_id: str) -> dict[str, Any]:
        desk().unsilence(silence_id)
        return {}

    return {
        "acknowledge": acknowledge,
        "mute": mute,
        "silence": silence,
        "unsilence": unsilence,
    }

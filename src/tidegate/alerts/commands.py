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
        history, counts = stage.desk.history(), stage.counts()
        return {**lying(stage.desk), "history": history, "rules": stage.standings(), "counts": counts}

    def desk() -> dict[str, Any]:
        stage = current()
        return {**lying(stage.desk), "rules": stage.standings(), "told": stage.told()}

    return {"alerts": alerts, "desk": desk, **desk_commands(lambda: current().desk)}


def lying(desk: Desk) -> dict[str, Any]:
    """What lies on a desk: open alerts, silences and mutes."""
    return {"open": desk.open_alerts(), "silences": desk.silences(), "mutes": desk.mutes()}


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

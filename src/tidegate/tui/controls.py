"""What the screen may ask of the rest of the program; what it cannot, with the reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.model.config import RuleSettings
from tidegate.model.config.alerts import DEFAULT_RULES

HOUR = 3_600.0


@dataclass(frozen=True)
class AlertControls:
    """Acting on alerts. Each raises TidegateError if it cannot be done; its text goes to the screen."""

    do: Callable[..., object]
    """A word of the control socket (acknowledge, mute, silence, unsilence), and by name what it takes."""
    look: Callable[[], Mapping[str, Any]]
    """What lies on the desk: `open`, `silences`, `mutes`, and `rules` where somebody counts."""


@dataclass(frozen=True)
class RelayControls:
    """The relay that runs beside. Each raises TidegateError where none does, or it cannot be done."""

    do: Callable[..., object]
    """A word of the control socket (relay_kill, relay_reject, relay_release), and by name what it takes."""
    look: Callable[[bool], Mapping[str, Any]]
    """How it stands, as relay_picture answers; with its connections if that is true."""


@dataclass(frozen=True)
class Controls:
    """What this screen can do beside looking."""

    alerts: AlertControls | None = None
    why_not: str = "a capture that is played raises no alerts"
    """Said when `alerts` is None."""
    relay: RelayControls | None = None
    """None where no relay could be: of a capture that is played."""
    who: str = ""
    """Who sits before the screen."""
    recording: bool = False
    """Whether packets are recorded: then leaving has to be asked for twice."""
    rules: tuple[RuleSettings, ...] = DEFAULT_RULES
    """Rules whose counts are shown against their thresholds."""
    alive: Callable[[int], bool] | None = None
    """Whether a process still runs, where that can be known."""
    local: tuple[str, ...] = field(default=())
    """This machine's addresses."""
    attribution: Callable[[], str] = lambda: ""
    """Why names of programs may be missing; empty if nothing is known to be wrong."""

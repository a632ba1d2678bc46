"""What the screen may ask of the rest of the program; what it cannot, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tidegate.model.config import RuleSettings
from tidegate.model.config.alerts import DEFAULT_RULES

DAY = 86_400.0
HOUR = 3_600.0


@dataclass(frozen=True)
class AlertControls:
    """Acting on alerts. Each raises TidegateError if it cannot be done; its text goes to the screen."""

    acknowledge: Callable[[str, str], object]
    """By alert_id: who has seen it."""
    mute: Callable[[str, float], object]
    """A rule, for so many seconds."""
    silence: Callable[[str, str | None, float], object]
    """A rule and, unless None, one value of its key, for so many seconds."""


@dataclass(frozen=True)
class Controls:
    """What this screen can do beside looking."""

    alerts: AlertControls | None = None
    why_not: str = (
        "this screen only looks; act in the screen of the watch that runs, or with: tidegate alerts ack ID"
    )
    """Said when `alerts` is None."""
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
    attribution: str = ""
    """Why names of programs may be missing; empty if nothing is known to be wrong."""

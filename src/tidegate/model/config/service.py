"""Settings of a running Tidegate: its user, its door for commands, its figures for Prometheus."""

from dataclasses import dataclass

from tidegate.model.config.option import option
from tidegate.model.errors import keyed
from tidegate.model.units import parse_loopback


@dataclass(frozen=True)
class ServiceSettings:
    """How it runs."""

    user: str = option("", "user it runs as after start; who called sudo, unless given")
    control: str = option("", "path of the control socket; beside the store unless given")
    metrics: str = option("", "address and port for Prometheus, such as 127.0.0.1:9700; none unless given")

    def __post_init__(self) -> None:
        """Refuses figures for the whole network."""
        if self.metrics:
            with keyed("metrics"):
                parse_loopback(self.metrics)

"""What a screen shows of a relay: services as they are set and as they go, and connections. Plain data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.model.batch import Batch
from tidegate.model.config import RelaySettings
from tidegate.model.config.relay import RelayServiceSettings

MOST_CONNECTIONS = 1000
MOST_REJECTED = 500
MOST_WAITING = 100

Figures = Mapping[str, Any]


class Endings:
    """Why connections ended, by service, as the rows of `conn` say."""

    def __init__(self) -> None:
        self._causes: dict[str, Counter[str]] = {}

    def count(self, batch: Batch) -> None:
        """Counts the last rows of connections among these."""
        if batch.table != "conn":
            return
        services, causes = batch.columns(("relay_service", "relay_cause"))
        for service, cause in zip(services, causes, strict=True):
            if cause is not None:
                self._causes.setdefault(service, Counter())[cause] += 1

    def of(self, service: str) -> dict[str, int]:
        """Connections by cause."""
        return dict(self._causes.get(service, ()))


def picture(
    settings: RelaySettings, status: Figures, endings: Endings, connections: Sequence[Figures] | None
) -> dict[str, Any]:
    """All of it; `connections` is None where they were not asked for."""
    return {
        "draining": status["draining"],
        "services": [
            _service(each, status["services"].get(each.name, {}), endings) for each in settings.services
        ],
        "rejected": status["rejected"][:MOST_REJECTED],
        "waiting": dict(list(status["waiting"].items())[:MOST_WAITING]),
        "connections": None if connections is None else list(connections),
    }


def _service(service: RelayServiceSettings, figures: Figures, endings: Endings) -> dict[str, Any]:
    return {
        "name": service.name,
        "listen": list(service.listen),
        "backend": service.backend,
        "rules": len(service.rules),
        "connections": figures.get("connections", 0),
        "limit": service.limits.connections,
        "addresses": len(figures.get("addresses", ())),
        "address_limit": service.limits.addresses,
        "total": figures.get("total", 0),
        "up": figures.get("up", 0),
        "down": figures.get("down", 0),
        "refused": dict(figures.get("refused", ())),
        "ended": endings.of(service.name),
        "keeps": _keeps(service),
    }


def _keeps(service: RelayServiceSettings) -> bool:
    """Whether anything of the payload is kept."""
    return bool(service.excerpts.per_direction or service.excerpts.per_read or service.hex)

"""Our settings of the engine in the core's words."""

from tidegate import _core
from tidegate.model.config import EngineSettings
from tidegate.model.errors import from_core


def engine_config(settings: EngineSettings) -> _core.EngineConfig:
    """The core's configuration."""
    with from_core():
        return _core.EngineConfig(
            sensor=settings.sensor,
            max_flows=settings.max_flows,
            verify_checksums=settings.verify_checksums,
            opened=settings.opened,
            interim=settings.interim,
            health=settings.health,
            excerpt=settings.excerpt,
            keep_credentials=settings.keep_credentials,
            redact_query=settings.redact_query,
        )

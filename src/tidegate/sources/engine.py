"""Our settings of the engine in the core's words."""

from collections.abc import Iterable

from tidegate import _core
from tidegate.model.config import EngineSettings
from tidegate.model.errors import from_core


def engine_config(settings: EngineSettings, tables: Iterable[str]) -> _core.EngineConfig:
    """The core's configuration; the packet table is filled when it is among the tables."""
    with from_core():
        return _core.EngineConfig(
            sensor=settings.sensor,
            max_flows=settings.max_flows,
            verify_checksums=settings.verify_checksums,
            opened=settings.opened,
            interim=settings.interim,
            health=settings.health,
            packet_table="packet" in tables,
            excerpt=settings.excerpt,
        )

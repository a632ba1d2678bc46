"""Where the configuration lies, and the whole way from there to settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.settings.build import ConfigError, build
from tidegate.settings.check import check
from tidegate.settings.document import Document, read_document
from tidegate.settings.environment import with_environment

SYSTEM = Path("/etc/tidegate/tidegate.yml")


def places(environment: Mapping[str, str]) -> list[Path]:
    """Where a configuration is looked for when none is named, first found wins."""
    own = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "tidegate" / "tidegate.yml"
    # Root's own file would surprise a service; a user's own comes before the machine's.
    return [SYSTEM] if os.geteuid() == 0 else [own, SYSTEM]


def find(named: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file that is used: the named one, TIDEGATE_CONFIG, or the first that exists."""
    if named or environment.get("TIDEGATE_CONFIG"):
        return named or Path(environment["TIDEGATE_CONFIG"])
    return next((place for place in places(environment) if _is_there(place)), None)


def _is_there(place: Path) -> bool:
    """Whether there is a file; where we may not look, there is none for us."""
    try:
        return place.is_file()
    except PermissionError:
        return False


def load(named: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings of file and environment; the defaults where there are none. Raises UsageError."""
    file = find(named, environment)
    if file and not file.is_file():
        raise UsageError(f"{file}: {'is a directory' if file.is_dir() else 'no such file'}")
    document = read_document(file) if file else Document("environment", {})
    document = with_environment(document, environment)
    if not document.values:
        return Config()
    config = build(document)
    check(config, document)
    return config


def load_place(named: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings as far as they say where a running Tidegate is reached, whatever else is wrong in them."""
    try:
        return load(named, environment)
    except ConfigError:
        file = find(named, environment)
        document = read_document(file) if file else Document("environment", {})
        values = with_environment(document, environment).values
        needed: dict[str, Any] = {key: values[key] for key in ("service", "store") if key in values}
        return build(Document(document.name, needed, document.nodes))

"""Where the configuration lies, and the whole way from there to settings."""

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tidegate.model.config import Config
from tidegate.model.errors import UsageError
from tidegate.settings.build import examine
from tidegate.settings.check import Look, checked
from tidegate.settings.document import Document, read_document
from tidegate.settings.environment import with_environment
from tidegate.settings.problem import ConfigError

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


def read(named: Path | None = None, environment: Mapping[str, str] = os.environ) -> Document:
    """What file and environment say, not looked at yet; raises UsageError for a file that cannot be read."""
    file = find(named, environment)
    if file and not file.is_file():
        raise UsageError(f"{file}: {'is a directory' if file.is_dir() else _missing(file)}")
    document = read_document(file) if file else Document("environment", {})
    return with_environment(document, environment)


def load(
    named: Path | None = None, environment: Mapping[str, str] = os.environ, looks: Sequence[Look] = ()
) -> Config:
    """The settings of file and environment; the defaults where there are none. Raises ConfigError."""
    return checked(read(named, environment), looks)


def load_place(named: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings as far as they say where a running Tidegate is reached, whatever else is wrong in them."""
    document = read(named, environment)
    config, problems = examine(document)
    strays = [path for path, _ in document.strays]
    if here := [one for one in problems if one.path[0] in ("service", "store") or one.path in strays]:
        raise ConfigError(here)
    return config


def _missing(file: Path) -> str:
    """Why there is no file, and what may have been meant."""
    if file.exists():
        return "not a file"
    try:
        beside = [each.name for each in file.parent.iterdir() if each.suffix in (".yml", ".yaml")]
    except OSError:
        return "no such file"
    near = difflib.get_close_matches(file.name, beside, 1)
    return f'no such file; did you mean "{file.parent / near[0]}"?' if near else "no such file"

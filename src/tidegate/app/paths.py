"""Where a configuration says that things lie."""

from pathlib import Path

from tidegate.model.config import Config
from tidegate.store.layout import default_root


def control_path(config: Config, root: Path | None = None) -> Path:
    """Where a running Tidegate with this configuration is reached."""
    if config.service.control:
        return Path(config.service.control)
    return store_root(config, root) / "control.sock"


def control_of(config: Config, store: Path | None) -> Path:
    """Where who writes to this store (None: the configured one) is reached: two stores have two sockets."""
    if store is None or store.absolute() == store_root(config).absolute():
        return control_path(config)
    return store / "control.sock"


def store_root(config: Config, root: Path | None = None) -> Path:
    """Where its rows are kept: in `root` unless it says, or in the default for whom we run as."""
    return Path(config.store.path) if config.store.path else root or default_root()


def outbox_folder(config: Config, root: Path | None = None) -> Path:
    """Where letters lie that are to be sent."""
    return Path(config.mail.outbox) if config.mail.outbox else store_root(config, root) / "outbox"


def schedule_path(config: Config, root: Path | None = None) -> Path:
    """Where it is remembered what was done by the clock."""
    return store_root(config, root) / "schedule.json"

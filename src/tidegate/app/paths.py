"""Where a configuration says that things lie."""

from dataclasses import replace
from pathlib import Path

from tidegate.helper.outlets import Outlets
from tidegate.model.config import Config
from tidegate.store.layout import Layout, default_root


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


def in_store(config: Config, store: Path | None) -> Config:
    """The configuration as it is for this store (None: the configured one).

    Raises StoreError where none is: who names a store means one that is there.
    """
    if store is None:
        return config
    Layout(store).check()
    return replace(config, store=replace(config.store, path=str(store)))


def outbox_folder(config: Config, root: Path | None = None) -> Path:
    """Where letters lie that are to be sent."""
    return Path(config.mail.outbox) if config.mail.outbox else store_root(config, root) / "outbox"


def schedule_path(config: Config, root: Path | None = None) -> Path:
    """Where it is remembered what was done by the clock."""
    return store_root(config, root) / "schedule.json"


def outlets(config: Config) -> Outlets:
    """What a running Tidegate with this configuration writes to."""
    record = (Path(config.watch.record.path),) if config.watch.record else ()
    return Outlets(store_root(config), (*record, *files_beside(config), control_path(config)))


def files_beside(config: Config) -> tuple[Path, ...]:
    """Files that are written beside the store; of a folder its lock, or one that would be new in it."""
    logs = (Path(log.path) for log in config.logs if log.path != "-")
    locked = (*(server.spool for server in config.elastic), config.mail.outbox)
    schedule = config.schedule
    filled = (*(each.folder for each in schedule.reports), *(each.folder for each in schedule.windows))
    return (
        *logs,
        *(Path(folder) / "lock" for folder in locked if folder),
        *(Path(folder) / "new" for folder in filled if folder),
    )

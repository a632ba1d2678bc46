"""Old files of a log: NAME becomes NAME.1, NAME.1 becomes NAME.2, and so on; nothing is ever overwritten."""

import os
from pathlib import Path


def shift(path: Path, keep: int) -> None:
    """Moves the file and its older ones on by one, and removes those beyond `keep` (0: none).

    Raises OSError where a file cannot be moved; what was moved before stays so, and a later call goes on.
    """
    count = 0
    while os.path.lexists(_old(path, count + 1)):
        count += 1
    while keep and count >= keep:
        _old(path, count).unlink()
        count -= 1
    for number in range(count, 0, -1):
        _move(_old(path, number), _old(path, number + 1))
    _move(path, _old(path, 1))


def _old(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _move(source: Path, target: Path) -> None:
    """Renames; raises FileExistsError rather than replace a file of somebody else's."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    try:
        source.replace(target)
    except OSError:
        target.unlink()
        raise

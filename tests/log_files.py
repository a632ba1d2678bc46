"""Files of logs in tests: numbered lines in, numbers out, and a clock that goes as a test wants it."""

from pathlib import Path

from tidegate.model.config import LogSettings
from tidegate.sinks.format import Headless
from tidegate.sinks.logfile import LogFile


class Lines(Headless):
    """A format without a header."""

    def lines(self, batch: object) -> bytes:
        return b""


class Headed(Lines):
    """A format with a header of two lines and an end."""

    def tail(self) -> bytes:
        return b"# end\n"

    def head(self) -> bytes:
        return b"# a\n# b\n"


class Clock:
    """Time as a test wants it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def settings(path: Path, **more: object) -> LogSettings:
    return LogSettings(name="test", path=str(path), **({"keep": 0} | more))  # type: ignore[arg-type]


def opened(
    path: Path,
    clock: Clock | None = None,
    wall: Clock | None = None,
    format: Lines | None = None,
    **more: object,
) -> LogFile:
    return LogFile(path, format or Lines(), settings(path, **more), clock or Clock(), wall or Clock())


def numbered(first: int, count: int, length: int = 0) -> bytes:
    return b"".join(b"%d %s\n" % (number, b"x" * length) for number in range(first, first + count))


def numbers(*files: Path) -> list[int]:
    """The numbers of all lines; fails for one that is not whole."""
    text = b"".join(file.read_bytes() for file in files)
    assert not text or text.endswith(b"\n")
    found = []
    for line in text.splitlines():
        if line.startswith(b"#"):
            continue
        number, _, rest = line.partition(b" ")
        assert set(rest) <= {ord("x")}
        found.append(int(number))
    return found


def old(path: Path) -> list[Path]:
    """The file and its older ones, oldest first."""
    named = sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:]))
    return [*named, path]

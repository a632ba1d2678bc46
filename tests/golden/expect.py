"""Writes what `tidegate read` makes of each golden capture beside it: NAME.conn.tsv.

    python3 tests/golden/expect.py [CAPTURE]...

The tables are the truth that the tests hold the engine to: read every change before committing it
(`git diff`), and check it against another reader of captures.
"""

import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def captures() -> list[Path]:
    """The golden captures."""
    return sorted([*HERE.glob("*.pcap"), *HERE.glob("*.pcapng")])


def rows(capture: Path, *options: str) -> bytes:
    """What `tidegate read` prints of a capture's connections."""
    words = [*shlex.split("-m tidegate read --table conn --format tsv"), *options, str(capture)]
    return subprocess.run([sys.executable, *words], check=True, stdout=subprocess.PIPE).stdout


def expected(capture: Path) -> Path:
    """Where the expected table of a capture lies."""
    return capture.with_name(f"{capture.name}.conn.tsv")


def main() -> None:
    """Writes the tables of the captures named, or of all."""
    for capture in [Path(name) for name in sys.argv[1:]] or captures():
        expected(capture).write_bytes(rows(capture))
        print(expected(capture))


if __name__ == "__main__":
    main()

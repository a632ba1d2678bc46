"""Writes what `tidegate read` makes of each golden capture beside it: NAME.TABLE.tsv, where there are rows.

    python3 tests/golden/expect.py [CAPTURE]...

The tables are the truth that the tests hold the engine to: read every change before committing it
(`git diff`), and check it against another reader of captures.
"""

import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TABLES = ("conn", "http", "tls", "dns", "icmp", "ssh", "host")


def captures() -> list[Path]:
    """The golden captures."""
    return sorted([*HERE.glob("*.pcap"), *HERE.glob("*.pcapng")])


def rows(capture: Path, table: str = "conn") -> bytes:
    """What `tidegate read` prints of a table, a header first."""
    words = [*shlex.split(f"-m tidegate read --table {table} --format tsv"), str(capture)]
    return subprocess.run([sys.executable, *words], check=True, stdout=subprocess.PIPE).stdout


def expected(capture: Path, table: str = "conn") -> Path:
    """Where the expected table of a capture lies; missing where it has no rows."""
    return capture.with_name(f"{capture.name}.{table}.tsv")


def main() -> None:
    """Writes the tables of the captures named, or of all."""
    for capture in [Path(name) for name in sys.argv[1:]] or captures():
        for table in TABLES:
            text, path = rows(capture, table), expected(capture, table)
            if text.count(b"\n") > 1:
                path.write_bytes(text)
                print(path)
            else:
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

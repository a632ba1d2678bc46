"""Checks what no linter does: every source says in its first line what it is, and none is too long."""

import subprocess
import sys
from pathlib import Path

LONGEST = 450
STARTS = {".rs": "//!", ".py": '"""', ".pyi": '"""', ".c": ("/*", "//"), ".sh": "#"}


def faults(path: Path) -> list[str]:
    """What is wrong with one file, in words."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next((line for line in lines if not line.startswith("#!")), "")
    found = []
    if not lines or not first.startswith(STARTS[path.suffix]):
        found.append("its first line does not say what it is")
    if len(lines) > LONGEST:
        found.append(f"{len(lines)} lines, more than {LONGEST}: split it")
    return [f"{path}: {fault}" for fault in found]


def main() -> int:
    """Prints the faults of all tracked files; 1 if there are any."""
    names = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout
    paths = [path for path in map(Path, names.splitlines()) if path.suffix in STARTS and path.is_file()]
    found = [fault for path in paths for fault in faults(path)]
    print("\n".join(found) or f"{len(paths)} files say what they are, none over {LONGEST} lines")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

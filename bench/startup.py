"""How long a user waits before anything happens."""

import sys
from collections.abc import Callable

from measure import Check, Report, Run, median, run, side_by_side

HELP_MS = 150
IMPORT_MS = 100


def startup(tidegate: str, rounds: int) -> Report:
    """`tidegate --help` and `import tidegate`, beside a Python that does nothing."""
    programs: dict[str, Callable[[], Run]] = {
        "python -c pass": lambda: run([sys.executable, "-c", "pass"]),
        "import tidegate": lambda: run([sys.executable, "-c", "import tidegate"]),
        "tidegate --help": lambda: run([tidegate, "--help"]),
    }
    for program in programs.values():
        program()
    runs = side_by_side(programs, rounds * 4)
    wall = {name: median(each, lambda one: one.wall) * 1000 for name, each in runs.items()}
    rows = [("", "ms"), *((name, f"{ms:.0f}") for name, ms in wall.items())]
    checks = [
        Check("tidegate --help, ms", wall["tidegate --help"], HELP_MS, at_least=False),
        Check("import tidegate, ms", wall["import tidegate"], IMPORT_MS, at_least=False),
    ]
    return Report(rows, checks)

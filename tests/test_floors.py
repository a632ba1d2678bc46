"""The house stands: floors by import-linter, the core behind its few doors."""

import ast
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "tidegate"

DOORS = {
    "__init__.py",
    "enrich/watch.py",
    "helper/steering.py",
    "model/batch.py",
    "model/errors.py",
    "model/stats.py",
    "model/tables.py",
    "sinks/parquet.py",
    "sinks/rows.py",
    "sinks/text.py",
    "sources/capture_file.py",
    "sources/engine.py",
    "sources/live.py",
    "store/segments.py",
}
"""The only files that import the core."""


def test_imports_go_down_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], capture_output=True, text=True, cwd=SOURCE.parents[1])
    assert done.returncode == 0, done.stdout


def test_only_the_doors_import_the_core() -> None:
    found = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if imports_core(path)}
    assert found == DOORS


def test_every_file_says_what_it_is() -> None:
    for path in SOURCE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path


def imports_core(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            if any(name.startswith("tidegate._core") for name in names):
                return True
    return False

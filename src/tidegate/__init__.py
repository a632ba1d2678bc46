"""Tidegate: who is this machine talking to? Live, from captures, and in SQL."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidegate import queries
    from tidegate.app import Answer, Capture, Watch, ask, query, questions, read, tables, watch
    from tidegate.model.errors import CaptureError, StoreError, TidegateError, UsageError

__all__ = [
    "Answer",
    "Capture",
    "CaptureError",
    "StoreError",
    "TidegateError",
    "UsageError",
    "Watch",
    "__version__",
    "ask",
    "queries",
    "query",
    "questions",
    "read",
    "tables",
    "watch",
]

_ERRORS = ("CaptureError", "StoreError", "TidegateError", "UsageError")


def __getattr__(name: str) -> Any:
    """Loads the core only when something of it is asked for, so that `import tidegate` is instant."""
    if name == "__version__":
        from tidegate import _core

        return _core.__version__
    if name in _ERRORS:
        from tidegate.model import errors

        return getattr(errors, name)
    if name == "queries":
        return import_module("tidegate.queries")
    if name in __all__:
        from tidegate import app

        return getattr(app, name)
    raise AttributeError(f"module 'tidegate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

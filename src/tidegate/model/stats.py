"""The counters of a source, as the core keeps them."""

from tidegate._core import Stats

__all__ = ["Stats"]

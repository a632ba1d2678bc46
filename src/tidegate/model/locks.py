"""Locks of what the main thread shares with others."""

import threading


def lock_and_condition() -> "tuple[threading.RLock, threading.Condition]":
    """A lock, and the condition over it. Take the lock by `with lock`, never by `with condition`.

    A condition is Python inside: a signal handler that raises, as Ctrl-C's does, can strike there when the
    lock is taken and nobody is bound yet to give it back, and everybody waits for ever. A lock is C.
    """
    lock = threading.RLock()
    return lock, threading.Condition(lock)

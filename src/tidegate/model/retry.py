"""When what failed is tried again, by a clock on the wall that may jump: letters, and scheduled reports.

What fails and comes back within one run waits by `pipeline/backoff.py`.
"""

FIRST_WAIT, LONGEST_WAIT = 60.0, 3600.0
"""Seconds before the second attempt, which double with each further one, up to this."""

LATEST = 253_402_300_000.0
"""Seconds from 1970 until the year 9999: a file that says more was not written by us."""


def wait_after(tries: int) -> float:
    """Seconds until the next attempt, after so many."""
    return min(FIRST_WAIT * 2.0 ** min(tries - 1, 16), LONGEST_WAIT)


def is_time(again: float, now: float) -> bool:
    """Whether it is time for the next attempt. Where the clock was set back, a time far ahead is none."""
    return now >= again or again - now > LONGEST_WAIT

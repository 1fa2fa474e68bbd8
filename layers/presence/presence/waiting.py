"""The only sleep in the system: the last moment before a transition."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

LONGEST_WAIT = timedelta(seconds=3)


def wait_until_due(due: datetime, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> bool:
    """Wait until the clock shows `due` or later, at most three seconds; tell whether it does.

    The clock is asked again after each sleep, since a sleep may end early and a clock may be set back. False: it is
    too far off to wait for.
    """
    while (left := due - clock()) > timedelta(0):
        if left > LONGEST_WAIT:
            return False
        sleep(left.total_seconds())
    return True

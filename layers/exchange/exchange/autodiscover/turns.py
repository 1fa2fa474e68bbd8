"""How the time in which a read may look for mailboxes is divided among their domains (decision 0019)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_SHARE = 2 / 3
"""Of the time of a read, what finding its mailboxes may use up: the rest is for reading them."""
_SHORTEST_SHARE = 1 / 12
"""Of the time for finding, what a turn has at least: with less, of very many domains none would be found."""
_SHARE_AGAIN = 1 / 2
"""Of the time that is left, what a domain gets that used up its turn in a read before: perhaps it is only slow."""


class Turns:
    """The turns in which domains are asked, one after the other, in a read that ends at a reading of `monotonic`.

    Whoever hangs uses up a turn and no more; what a turn leaves over is for those who come after it. `end_at` is the
    reading at which all turns are over, `shortest` how many seconds each has at least.
    """

    def __init__(self, count: int, read_ends_at: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        now = monotonic()
        whole = _SHARE * (read_ends_at - now)
        self.end_at = now + whole
        self._waiting = count
        self.shortest = _SHORTEST_SHARE * whole
        self._monotonic = monotonic

    @property
    def seconds_left(self) -> float:
        """The time that all turns that are left may take. A read may be endless, which `wait` can't be told."""
        return max(0.0, min(self.end_at - self._monotonic(), threading.TIMEOUT_MAX))

    @property
    def are_over(self) -> bool:
        """Whether no time is left for a turn."""
        return not self.seconds_left

    def next_ends_at(self, *, again: bool) -> float:
        """Return the reading of the clock at which the next turn ends; `again`: the domain used one up before."""
        now = self._monotonic()
        left = max(0.0, self.end_at - now)
        waiting, self._waiting = self._waiting, self._waiting - 1
        if waiting == 1:
            return self.end_at
        share = _SHARE_AGAIN * left if again else max(left / waiting, self.shortest)
        return now + min(share, left)

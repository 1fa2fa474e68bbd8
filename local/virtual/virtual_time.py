"""Virtual time: a clock that stands while something happens and then moves to what happens next.

What is to happen is kept by its instant. An activity that sleeps (a function that waits for a second to come) sleeps in
virtual time: meanwhile others go on, as they do beside each other on AWS.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta


class VirtualTime:
    """The clock and what is still to happen. `start` is the instant (UTC) at which it begins.

    One activity runs at a time, so nothing is left to chance: the same run gives the same order.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._coming: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._baton = threading.Semaphore(0)
        self._activities: set[int] = set()
        self._errors: list[BaseException] = []

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return self._now

    def at(self, instant: datetime, action: Callable[[], object]) -> None:
        """Let something happen at an instant, or at once if that has passed; what was planned first happens first."""
        heapq.heappush(self._coming, (max(instant, self._now), next(self._numbers), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen so many seconds from now."""
        self.at(self._now + timedelta(seconds=seconds), action)

    def run_until(self, end: datetime) -> None:
        """Let everything happen that is due before `end` or at it. Raises what an activity raised."""
        while self._coming and self._coming[0][0] <= end:
            self._now, _, action = heapq.heappop(self._coming)
            action()
            if self._errors:
                raise self._errors[0]
        self._now = max(self._now, end)

    def start(self, activity: Callable[[], object]) -> None:
        """Run an activity, which may sleep; return once it has ended or sleeps."""
        threading.Thread(target=self._play, args=(activity,), daemon=True).start()
        self._baton.acquire()

    def sleep(self, seconds: float) -> None:
        """Let others go on for so many seconds. RuntimeError for who is no activity: nobody would wake them."""
        if threading.get_ident() not in self._activities:
            raise RuntimeError("only an activity may sleep in virtual time")
        awake = threading.Semaphore(0)

        def wake() -> None:
            awake.release()
            self._baton.acquire()

        self.after(seconds, wake)
        self._baton.release()
        awake.acquire()

    def _play(self, activity: Callable[[], object]) -> None:
        self._activities.add(threading.get_ident())
        try:
            activity()
        except BaseException as error:  # noqa: BLE001  handed over to the thread that lets time run
            self._errors.append(error)
        finally:
            self._activities.discard(threading.get_ident())
            self._baton.release()

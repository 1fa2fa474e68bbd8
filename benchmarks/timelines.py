"""From the claims of a calendar to the timeline; and beside it from its entries, which a profile judges before.

The quickest run tells what it costs; all others tell how busy the machine was. On one that is busy all the time it is
looked for a little longer.
"""

from __future__ import annotations

import math
import random
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.figures import Figure, Measurement, percentile
from presence.calendar import BusyType, CalendarEntry, Window
from presence.claims import Claim
from presence.knowledge import claims_of_entries, judgements
from presence.known_calendar import KnownEntry
from presence.profiles import DEFAULT
from presence.timeline import Segment, timeline_of

ENTRIES: Final = 50
LONGEST: Final = 200.0
"""Microseconds that the timeline of so many entries may take, once it is known what they claim."""

_TIMES: Final = 50
_LEAST_RUNS: Final = 100
_LONGEST_SECONDS: Final = 20.0
_START: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)
_WINDOW: Final = Window(_START - timedelta(hours=1), _START + timedelta(hours=24))


def calendar() -> tuple[KnownEntry, ...]:
    """Return the entries of a calendar in which entries touch, nest and cross, the same at each call."""
    chance = random.Random(ENTRIES)  # noqa: S311  it makes up a calendar
    kinds = [BusyType.BUSY] * 3 + [BusyType.TENTATIVE, BusyType.OUT_OF_OFFICE, BusyType.WORKING_ELSEWHERE]
    entries = []
    for _ in range(ENTRIES):
        start = _START + timedelta(minutes=15 * chance.randrange(96))
        length = timedelta(minutes=15 * chance.choice([1, 2, 2, 4, 4, 8, 12]))
        entries.append(KnownEntry(CalendarEntry(start, start + length, chance.choice(kinds)), ""))
    return tuple(sorted(entries, key=lambda known: known.entry.start))


def claims(entries: tuple[KnownEntry, ...]) -> list[Claim]:
    """Return what the entries claim under the default profile."""
    return claims_of_entries(judgements(entries, DEFAULT, None), DEFAULT, _WINDOW.end)


def timeline(claimed: list[Claim]) -> tuple[Segment, ...]:
    """Return the timeline of the claims, over 25 hours."""
    return timeline_of(claimed, _WINDOW)


def times(work: Callable[[], object], at_most: float) -> list[float]:
    """Return how many microseconds runs of some work took; runs go on for a while if none took at most so many."""
    timer = timeit.Timer(work)
    started, runs = time.monotonic(), [math.inf]
    while len(runs) <= _LEAST_RUNS or (min(runs) > at_most and time.monotonic() - started < _LONGEST_SECONDS):
        runs.append(timer.timeit(_TIMES) / _TIMES * 1e6)
    return runs[1:]


def figures() -> list[Figure]:
    """Measure and return the figures."""
    entries = calendar()
    claimed = claims(entries)
    runs = times(lambda: timeline(claimed), LONGEST)
    from_entries = times(lambda: timeline(claims(entries)), math.inf)
    return [
        Figure("segments", len(timeline(claimed)), ""),
        Figure("from claims, the quickest run", min(runs), "µs", at_most=LONGEST),
        Figure("from claims, half of the runs", percentile(runs, 0.5), "µs"),
        Figure("from entries, the quickest run", min(from_entries), "µs"),
        Figure("from entries, half of the runs", percentile(from_entries, 0.5), "µs"),
    ]


MEASUREMENTS: Final = (Measurement("timeline_microseconds", figures),)

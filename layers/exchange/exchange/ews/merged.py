"""The merged free/busy string as a second witness: it tells "no data" from "nothing planned"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from exchange.bounded_xml import MalformedXml
from presence.calendar import BusyType, CalendarEntry, Window

MERGED_INTERVAL = timedelta(minutes=30)
_DIGITS = frozenset("01234")
_NO_DATA = "4"


def check_merged(
    digits: str | None, entries: Sequence[CalendarEntry], window: Window, *, array_is_there: bool
) -> list[CalendarEntry]:
    """Return NoData entries for the intervals for which Exchange says that it has none.

    Digit 4 without an entry there is NoData (with one it is WorkingElsewhere: domain.md, "The mistakes of others",
    8). Raises `MalformedXml` where entries and string contradict each other: a missing CalendarEventArray that no
    string of zeros confirms, or a string that shows times of which there is no entry at all.
    """
    digits = (digits or "").strip()
    if not digits:
        if not array_is_there:
            raise MalformedXml("FreeBusyView has neither CalendarEventArray nor MergedFreeBusy")
        return []
    if not _DIGITS.issuperset(digits):
        raise MalformedXml("MergedFreeBusy holds something else than the digits 0 to 4")
    if not array_is_there and len(digits) < math.ceil((window.end - window.start) / MERGED_INTERVAL):
        raise MalformedXml("CalendarEventArray is missing, and MergedFreeBusy does not cover the time asked for")
    if not entries and set(digits) - {"0", _NO_DATA}:
        raise MalformedXml("MergedFreeBusy shows times of which CalendarEventArray has no entry")
    return _gaps(digits, entries, window) if _NO_DATA in digits else []


def _gaps(digits: str, entries: Sequence[CalendarEntry], window: Window) -> list[CalendarEntry]:
    gaps: list[CalendarEntry] = []
    for index, digit in enumerate(digits):
        start = window.start + index * MERGED_INTERVAL
        end = min(start + MERGED_INTERVAL, window.end)
        if digit != _NO_DATA or start >= end or any(entry.start < end and entry.end > start for entry in entries):
            continue
        if gaps and gaps[-1].end == start:
            gaps[-1] = CalendarEntry(gaps[-1].start, end, BusyType.NO_DATA)
        else:
            gaps.append(CalendarEntry(start, end, BusyType.NO_DATA))
    return gaps

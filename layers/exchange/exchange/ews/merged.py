"""The merged free/busy string as a second witness: it tells "no data" from "nothing planned"."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from exchange.web.bounded_xml import MalformedXml
from presence.calendar import BusyType, CalendarEntry, Window

MERGED_INTERVAL = timedelta(minutes=30)
LISTS_INTERVAL = timedelta(minutes=5)
"""The shortest that Exchange takes, for what has no entries but a string: it is as exact as that."""
_DIGITS = frozenset("01234")
_NO_DATA = "4"
_TAKEN = frozenset("123")
_TAKES_NOTHING = frozenset({BusyType.FREE, BusyType.NO_DATA})
# Digit 4 is NoData or WorkingElsewhere, depending on the version: whoever may be unknown is not called available.
_BUSY_TYPES = {
    "1": BusyType.TENTATIVE,
    "2": BusyType.BUSY,
    "3": BusyType.OUT_OF_OFFICE,
    _NO_DATA: BusyType.NO_DATA,
}


def check_merged(
    digits: str | None,
    entries: Sequence[CalendarEntry],
    window: Window,
    interval: timedelta,
    *,
    array_is_there: bool,
    promised: bool,
) -> list[CalendarEntry]:
    """Return NoData entries for the intervals for which Exchange says that it has none.

    Digit 4 without an entry there is NoData (with one it is WorkingElsewhere: domain.md, "The mistakes of others",
    8). Raises `MalformedXml` where entries and string contradict each other, or too little came to tell: no entry
    and no string though the view has one (`promised`) or CalendarEventArray is missing, a string that ends before the
    time asked for, or one that shows times near which there is no entry.
    """
    if not digits:
        if not array_is_there:
            raise MalformedXml("FreeBusyView has neither CalendarEventArray nor MergedFreeBusy")
        if promised and not entries:
            raise MalformedXml("CalendarEventArray is empty, and MergedFreeBusy is missing, which could confirm it")
        return []
    # With entries there, a server may round the end of the window the other way.
    digits = _covering(digits, window, interval, missing=1 if array_is_there else 0)
    if _shows_more(digits, entries, window, interval):
        raise MalformedXml("MergedFreeBusy shows times of which CalendarEventArray has no entry")
    return _gaps(digits, entries, window, interval) if _NO_DATA in digits else []


def entries_of_merged(digits: str | None, window: Window, interval: timedelta) -> list[CalendarEntry]:
    """Return the stretches of a string that came without entries, as of a distribution list.

    Raises `MalformedXml` if there is none, or one that does not cover the window.
    """
    if not digits:
        raise MalformedXml("FreeBusyView has neither CalendarEventArray nor MergedFreeBusy")
    return _joined(_intervals(_covering(digits, window, interval, missing=0), window, interval))


def _covering(digits: str, window: Window, interval: timedelta, *, missing: int) -> str:
    """Return the digits of the window, of which the last few may be `missing`. Raises `MalformedXml`."""
    if not _DIGITS.issuperset(digits):
        raise MalformedXml("MergedFreeBusy holds something else than the digits 0 to 4")
    intervals = math.ceil((window.end - window.start) / interval)
    if len(digits) < intervals - missing:
        raise MalformedXml("MergedFreeBusy does not cover the time asked for")
    return digits[:intervals]


def _shows_more(digits: str, entries: Sequence[CalendarEntry], window: Window, interval: timedelta) -> bool:
    """Tell whether an interval is shown as taken with nothing that takes it within an interval: entries were lost.

    One interval is left on either side, for servers that count from another minute than they were asked from.
    """
    witnessed: set[int] = set()
    for entry in entries:
        if entry.busy_type not in _TAKES_NOTHING:
            first = (entry.start - window.start) // interval - 1
            last = -((window.start - entry.end) // interval)
            witnessed.update(range(max(first, 0), min(last + 1, len(digits))))
    taken = {index for index, digit in enumerate(digits) if digit in _TAKEN}
    return not taken <= witnessed


def _gaps(digits: str, entries: Sequence[CalendarEntry], window: Window, interval: timedelta) -> list[CalendarEntry]:
    return _joined(
        gap
        for gap in _intervals(digits, window, interval)
        if gap.busy_type is BusyType.NO_DATA
        and not any(entry.start < gap.end and entry.end > gap.start for entry in entries)
    )


def _intervals(digits: str, window: Window, interval: timedelta) -> Iterator[CalendarEntry]:
    """Yield the intervals in which the digits show anything but free time; the last one ends with the window."""
    for index, digit in enumerate(digits):
        busy_type = _BUSY_TYPES.get(digit)
        start = window.start + index * interval
        end = min(start + interval, window.end)
        if busy_type is not None and start < end:
            yield CalendarEntry(start, end, busy_type)


def _joined(intervals: Iterable[CalendarEntry]) -> list[CalendarEntry]:
    """Return intervals, those that follow each other and show the same as one."""
    joined: list[CalendarEntry] = []
    for each in intervals:
        if joined and (joined[-1].end, joined[-1].busy_type) == (each.start, each.busy_type):
            joined[-1] = CalendarEntry(joined[-1].start, each.end, each.busy_type)
        else:
            joined.append(each)
    return joined

"""What is known of a calendar, as it is kept: the entries of the last reading, and earlier ones where it had no data.

Kept beside the timeline, so that presence can be worked out again, without asking Exchange, when something else
changes: what somebody set by hand, an automatic reply, a profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from presence.calendar import FOLDER_VIEW, BusyType, CalendarEntry, CalendarReading, Window
from presence.working_hours import MailboxZone, WorkingHours

SHORT_RULE = "ignored-short"
ALL_DAY_RULE = "ignored-all-day"
LENGTH_RULES = frozenset({SHORT_RULE, ALL_DAY_RULE})
"""The rules of entries that claim nothing because of their length."""

_Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry and the rule that it stands under: the rule of its claim, or of why it claims nothing."""

    entry: CalendarEntry
    rule: str


@dataclass(frozen=True, slots=True)
class KnownCalendar:
    """The entries of a calendar, in order, free ones left out; `horizon` (an instant in UTC) is how far it is known.

    `endpoint` is the URL that told it and `view` in which detail.
    """

    entries: tuple[KnownEntry, ...]
    horizon: datetime
    endpoint: str
    view: str
    working_hours: WorkingHours | None = None

    @property
    def zone(self) -> MailboxZone | None:
        """The time zone of the mailbox, if Exchange told it."""
        return None if self.working_hours is None else self.working_hours.zone

    def ahead(self, instant: datetime) -> tuple[KnownEntry, ...]:
        """Return the entries that have not ended by the instant; what reaches the horizon goes on until a next reading.

        Else what is shown would depend on when it was worked out: a timeline lets such entries have no end.
        """
        return tuple(known for known in self.entries if known.entry.end > instant or known.entry.end >= self.horizon)


def remembered(reading: CalendarReading, earlier: KnownCalendar | None) -> tuple[CalendarEntry, ...]:
    """Return the entries of a reading; on stretches without data those that an earlier one knew of, marked as kept.

    What was known to be free becomes a kept free entry; what nobody knew stays NoData. Missing data never becomes
    free time (domain.md, mistake 8). Where the reading has an entry beside "no data", that is all that is known of the
    stretch: what else there is stays NoData, so that an entry which claims nothing frees nobody.
    """
    told = [entry for entry in reading.entries if entry.busy_type not in {BusyType.FREE, BusyType.NO_DATA}]
    without_data = _joined(_times(entry for entry in reading.entries if entry.busy_type is BusyType.NO_DATA))
    silent = _without(without_data, _times(told))
    entries, unknown = list(told), _without(without_data, silent)
    for start, end in silent:
        kept, not_known = _known_of(start, end, earlier, reading.window)
        entries += kept
        unknown += not_known
    entries += (CalendarEntry(start, end, BusyType.NO_DATA) for start, end in _joined(unknown))
    return tuple(sorted(entries, key=lambda entry: (entry.start, entry.end, entry.busy_type, entry.is_kept)))


def hours_of(reading: CalendarReading, earlier: KnownCalendar | None) -> WorkingHours | None:
    """Return the working hours of a mailbox: with its folder none come along, so those that are known stay."""
    if reading.working_hours is None and reading.view == FOLDER_VIEW and earlier is not None:
        return earlier.working_hours
    return reading.working_hours


def _known_of(
    start: datetime, end: datetime, earlier: KnownCalendar | None, asked: Window
) -> tuple[list[CalendarEntry], list[_Stretch]]:
    """Return what an earlier calendar said of [start, end), and of which parts it did not know all.

    `asked` is the window of the reading. What began before that or ends after it keeps its start or end, and what was
    too short or too long to count is free: of a piece of an entry neither could be told any more. The end of an entry
    is known also behind the horizon of the earlier calendar; that nothing else is there is not.
    """
    if earlier is None:
        return [], [(start, end)]
    before = [known.entry for known in earlier.entries if known.rule not in LENGTH_RULES]
    kept = [
        replace(
            entry,
            start=entry.start if start <= asked.start else max(entry.start, start),
            end=entry.end if end >= asked.end else min(entry.end, end),
            is_kept=True,
        )
        for entry in before
        if entry.busy_type is not BusyType.NO_DATA and entry.start < end and max(entry.start, start) < entry.end
    ]
    behind = [(max(start, earlier.horizon), end)] if earlier.horizon < end else []
    gaps = _times(entry for entry in before if entry.busy_type is BusyType.NO_DATA)
    whole = [(start, end)]
    unknown = [*_without(whole, _without(whole, gaps)), *behind]
    free = _without(whole, [*unknown, *_times(kept)])
    return [*kept, *(CalendarEntry(since, until, BusyType.FREE, is_kept=True) for since, until in free)], unknown


def _times(entries: Iterable[CalendarEntry]) -> list[_Stretch]:
    """Return the times of entries; one without length takes none."""
    return [(entry.start, entry.end) for entry in entries if entry.start < entry.end]


def _joined(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """Return stretches in order; those that touch are one, so that nothing is cut there."""
    joined: list[_Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _without(stretches: Sequence[_Stretch], holes: Iterable[_Stretch]) -> list[_Stretch]:
    """Return what is left of stretches when others are cut out of them."""
    left = list(stretches)
    for since, until in holes:
        left = [
            part
            for start, end in left
            for part in ((start, min(end, since)), (max(start, until), end))
            if part[0] < part[1]
        ]
    return left

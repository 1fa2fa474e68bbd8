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
    free time (domain.md, mistake 8). Where the reading has an entry beside "no data", the entry counts alone.
    """
    told = [entry for entry in reading.entries if entry.busy_type not in {BusyType.FREE, BusyType.NO_DATA}]
    entries = list(told)
    for start, end in _without(_stretches_without_data(reading), told):
        entries += _known_of(start, end, earlier, reading.window)
    return tuple(sorted(entries, key=lambda entry: (entry.start, entry.end, entry.busy_type, entry.is_kept)))


def hours_of(reading: CalendarReading, earlier: KnownCalendar | None) -> WorkingHours | None:
    """Return the working hours of a mailbox: with its folder none come along, so those that are known stay."""
    if reading.working_hours is None and reading.view == FOLDER_VIEW and earlier is not None:
        return earlier.working_hours
    return reading.working_hours


def _stretches_without_data(reading: CalendarReading) -> list[tuple[datetime, datetime]]:
    """Return the stretches for which a reading has no data; those that touch are one, so that nothing is cut there."""
    stretches: list[tuple[datetime, datetime]] = []
    gaps = [entry for entry in reading.entries if entry.busy_type is BusyType.NO_DATA and entry.start < entry.end]
    for start, end in sorted((gap.start, gap.end) for gap in gaps):
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return stretches


def _known_of(start: datetime, end: datetime, earlier: KnownCalendar | None, asked: Window) -> list[CalendarEntry]:
    """Return what an earlier calendar said of [start, end); `asked` is the window of the reading.

    What began before that or ends after it keeps its start or end, and what was too short or too long to count is free:
    of a piece of an entry neither could be told any more. The end of an entry is known also behind the horizon of the
    earlier calendar; that something is free is not.
    """
    if earlier is None:
        return [CalendarEntry(start, end, BusyType.NO_DATA)]
    before = [known.entry for known in earlier.entries if known.rule not in LENGTH_RULES]
    unknown = [entry for entry in before if entry.busy_type is BusyType.NO_DATA]
    kept = [
        replace(
            entry,
            start=entry.start if since <= asked.start else max(entry.start, since),
            end=entry.end if until >= asked.end else min(entry.end, until),
            is_kept=True,
        )
        for since, until in _without([(start, end)], unknown)
        for entry in before
        if entry.busy_type is not BusyType.NO_DATA and entry.start < until and max(entry.start, since) < entry.end
    ]
    told = [(start, min(end, earlier.horizon))] if start < earlier.horizon else []
    free = [
        CalendarEntry(since, until, BusyType.FREE, is_kept=True) for since, until in _without(told, [*unknown, *kept])
    ]
    gaps = _without([(start, end)], [*kept, *free])
    return [*kept, *free, *(CalendarEntry(since, until, BusyType.NO_DATA) for since, until in gaps)]


def _without(
    stretches: Sequence[tuple[datetime, datetime]], holes: Iterable[CalendarEntry]
) -> list[tuple[datetime, datetime]]:
    """Return what is left of stretches when the entries are cut out of them; entries without length cut nothing."""
    left = list(stretches)
    for hole in holes:
        if hole.start >= hole.end:
            continue
        left = [
            part
            for start, end in left
            for part in ((start, min(end, hole.start)), (max(start, hole.end), end))
            if part[0] < part[1]
        ]
    return left

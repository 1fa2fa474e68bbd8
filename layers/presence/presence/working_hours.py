"""The working hours of a mailbox, in its own time zone, as Exchange tells them beside the free/busy times.

Source: types.xsd, WorkingHours and SerializableTimeZone; "WorkingHours" in Microsoft's EWS reference. The zone has the
form of Windows' TIME_ZONE_INFORMATION, whose page says what its fields mean.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

_DAY = timedelta(days=1)
_DAYS_OF_A_WEEK = 7
_MONTHS = 12
_LAST_OF_THE_MONTH = 5
_MINUTES_OF_A_DAY = 1440
_LARGEST_BIAS = 1440
_LARGEST_CHANGE = 240
_SHORTEST_DAY = _DAY - 2 * timedelta(minutes=_LARGEST_CHANGE)
_MOST_PERIODS = 21
_LONGEST_TEXT = 600


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """When a zone changes its clock, and to what (types.xsd, SerializableTimeZoneTime).

    `bias` (minutes) is added to the zone's bias from then on. `time` is what the clock shows before the change.
    `day_order` is 1 to 4, or 5 for the last `weekday` (Monday is 0) of `month`; with `year` the change is made once,
    on the day of the month that `day_order` is. `month` 0: there is no change, and nothing else counts.
    Raises ValueError for what is no moment of a year, and for a change of more than four hours.
    """

    bias: int
    time: time
    day_order: int
    month: int
    weekday: int
    year: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.month <= _MONTHS:
            raise ValueError("the month of a change is not from 1 to 12")
        if not -_LARGEST_CHANGE <= self.bias <= _LARGEST_CHANGE:
            raise ValueError("a change is one of more than four hours")
        if not 0 <= self.weekday < _DAYS_OF_A_WEEK:
            raise ValueError("the weekday of a change is not from 0 to 6")
        if self.time.tzinfo is not None:
            raise ValueError("the time of a change has a zone of its own")
        if not self.month:
            return
        if self.year is None:
            if not 1 <= self.day_order <= _LAST_OF_THE_MONTH:
                raise ValueError("the order of a change's weekday is not from 1 to 5")
        elif not date.min.year < self.year < date.max.year:
            raise ValueError("the year of a change is none that a calendar can hold")
        else:
            date(self.year, self.month, self.day_order)

    def wall_clock(self, year: int) -> datetime:
        """Return what the clock shows when the change of a year is made; `month` must not be 0."""
        if self.year is not None:
            return datetime.combine(date(self.year, self.month, self.day_order), self.time)
        first_weekday, days = calendar.monthrange(year, self.month)
        day = 1 + (self.weekday - first_weekday) % _DAYS_OF_A_WEEK + _DAYS_OF_A_WEEK * (self.day_order - 1)
        return datetime.combine(date(year, self.month, day if day <= days else day - _DAYS_OF_A_WEEK), self.time)


@dataclass(frozen=True, slots=True)
class MailboxZone:
    """A time zone: UTC is the local time plus `bias` minutes plus the bias of the change in force.

    A zone of which one change has no month never changes; `bias` counts alone then. Raises ValueError for a bias of
    more than a day, and where both changes are made at once to different times.
    """

    bias: int
    standard: ZoneChange
    daylight: ZoneChange

    def __post_init__(self) -> None:
        if not -_LARGEST_BIAS <= self.bias <= _LARGEST_BIAS:
            raise ValueError("the bias of a zone is more than a day")
        if self.standard.bias != self.daylight.bias and _moment(self.standard) == _moment(self.daylight) is not None:
            raise ValueError("a zone changes to standard and to daylight time at once")

    def local(self, instant: datetime) -> datetime:
        """Return what a clock in the zone shows at an instant: date and time without zone.

        Raises OverflowError at either end of the years that Python knows.
        """
        return (instant.astimezone(UTC) - _bias_at(self, instant)).replace(tzinfo=None)

    def instant(self, local: datetime) -> datetime:
        """Return the instant (UTC) at which a clock in the zone shows a date and time.

        Where the clock shows it twice, it is the first time; where it skips it, it is the instant at which it would
        have been without the change, so that midnight is the first moment of a day that begins at 01:00 (RFC 5545,
        section 3.3.5). Raises OverflowError as `local`.
        """
        as_if_utc = local.replace(tzinfo=UTC)
        candidates = sorted({as_if_utc + bias for bias in _biases(self)})
        for candidate in candidates:
            if candidate - _bias_at(self, candidate) == as_if_utc:
                return candidate
        return as_if_utc + _bias_at(self, candidates[0])


@dataclass(frozen=True, slots=True)
class WorkingPeriod:
    """Working time of some weekdays (Monday is 0): minutes after local midnight, [start_minute, end_minute).

    An end that does not lie after the start is one of the next day. Raises ValueError for no weekday, and for minutes
    that no day has.
    """

    weekdays: frozenset[int]
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= frozenset(range(_DAYS_OF_A_WEEK)):
            raise ValueError("the weekdays of a working period are not some of 0 to 6")
        if not (0 <= self.start_minute < _MINUTES_OF_A_DAY and 0 <= self.end_minute <= _MINUTES_OF_A_DAY):
            raise ValueError("a working period begins or ends at no minute of a day")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The zone of a mailbox and its working periods; without any, its working time is not known.

    Raises ValueError for more than 21 periods.
    """

    zone: MailboxZone
    periods: tuple[WorkingPeriod, ...]

    def __post_init__(self) -> None:
        if len(self.periods) > _MOST_PERIODS:
            raise ValueError(f"there are more than {_MOST_PERIODS} working periods")


def stretches_off_work(hours: WorkingHours, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the stretches of [start, end) that lie outside of all working periods, in their order.

    All are instants in UTC. Without a period nothing is known of somebody's work, so there is no stretch off it.
    """
    if not hours.periods:
        return []
    stretches = []
    since = start
    for begins, ends in sorted(_working_stretches(hours, start, end)):
        if begins >= end:
            break
        if begins > since:
            stretches.append((since, begins))
        since = max(since, ends)
    if since < end:
        stretches.append((since, end))
    return stretches


def lasts_whole_days(start: datetime, end: datetime, zone: MailboxZone) -> bool:
    """Tell whether [start, end) is one day of the zone or several, from midnight to midnight.

    Days on which the clock changes count as well, though they have 23 or 25 hours.
    """
    # Two midnights of one day lie closer together than that; and it spares the work for nearly every entry.
    if end - start < _SHORTEST_DAY:
        return False
    try:
        return _begins_a_day(start, zone) and _begins_a_day(end, zone)
    except OverflowError:
        return False


def working_hours_to_text(hours: WorkingHours) -> str:
    """Return working hours in the short form in which they are stored.

    The bias, the change to standard time, that to daylight time, and the periods, each after a semicolon:
    `-60;0,03:00:00,5,10,6;-60,02:00:00,5,3,6;01234,480,1020`.
    """
    changes = (hours.zone.standard, hours.zone.daylight)
    return ";".join((str(hours.zone.bias), *map(_change_to_text, changes), *map(_period_to_text, hours.periods)))


def working_hours_from_text(text: str) -> WorkingHours:
    """Return the working hours that `working_hours_to_text` wrote. Raises ValueError for any other text."""
    if len(text) > _LONGEST_TEXT:
        raise ValueError("the text is too long for working hours")
    bias, *rest = text.split(";")
    if len(rest) < 2:  # noqa: PLR2004  a zone has two changes
        raise ValueError("the text is too short for working hours")
    zone = MailboxZone(_number(bias), _change_from_text(rest[0]), _change_from_text(rest[1]))
    hours = WorkingHours(zone, tuple(_period_from_text(period) for period in rest[2:]))
    if working_hours_to_text(hours) != text:
        raise ValueError("the text has another form than that of stored working hours")
    return hours


def _moment(change: ZoneChange) -> tuple[object, ...] | None:
    """Return when a change is made, to compare it with another; None for a change that is never made."""
    return (change.time, change.day_order, change.month, change.weekday, change.year) if change.month else None


def _biases(zone: MailboxZone) -> tuple[timedelta, timedelta]:
    """Return what is added to standard time and to daylight time to give UTC."""
    if not zone.standard.month or not zone.daylight.month:
        bias = timedelta(minutes=zone.bias)
        return bias, bias
    return timedelta(minutes=zone.bias + zone.standard.bias), timedelta(minutes=zone.bias + zone.daylight.bias)


def _bias_at(zone: MailboxZone, instant: datetime) -> timedelta:
    instants, biases = _changes_around(zone, instant.year)
    return biases[bisect_right(instants, instant)]


@lru_cache(maxsize=1024)
def _changes_around(zone: MailboxZone, year: int) -> tuple[list[datetime], list[timedelta]]:
    """Return the instants of the changes of three years, and what is in force before, between and after them."""
    standard, daylight = _biases(zone)
    if standard == daylight:
        return [], [standard]
    # The first and the last year that Python knows are left out: no clock of theirs is ever asked for.
    years = range(max(year - 1, date.min.year + 1), min(year + 1, date.max.year - 1) + 1)
    # A clock shows the time of a change by what was in force before it.
    changes = sorted(
        {
            (change.wall_clock(each).replace(tzinfo=UTC) + before, after, before)
            for change, before, after in ((zone.standard, daylight, standard), (zone.daylight, standard, daylight))
            for each in years
        }
    )
    return [at for at, _, _ in changes], [changes[0][2], *(after for _, after, _ in changes)]


def _working_stretches(hours: WorkingHours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when somebody works, for each period of each day of which something may lie in [start, end)."""
    zone = hours.zone
    midnight = datetime.combine(zone.local(start).date() - 2 * _DAY, time())
    last = zone.local(end)
    while midnight <= last:
        for period in hours.periods:
            if midnight.weekday() in period.weekdays:
                length = period.end_minute - period.start_minute
                begins = midnight + timedelta(minutes=period.start_minute)
                ends = begins + timedelta(minutes=length if length > 0 else length + _MINUTES_OF_A_DAY)
                yield zone.instant(begins), zone.instant(ends)
        midnight += _DAY


def _begins_a_day(instant: datetime, zone: MailboxZone) -> bool:
    """Tell whether it is midnight; of a day whose midnight the clock skips, whether it is the first moment."""
    local = zone.local(instant)
    return local.time() == time() or zone.instant(datetime.combine(local.date(), time())) == instant


def _change_to_text(change: ZoneChange) -> str:
    fields = [change.bias, change.time.isoformat(), change.day_order, change.month, change.weekday]
    return ",".join(map(str, fields if change.year is None else [*fields, change.year]))


def _change_from_text(text: str) -> ZoneChange:
    bias, at, day_order, month, weekday, *year = text.split(",")
    if len(year) > 1:
        raise ValueError("a change of a zone has too many fields")
    fixed = _number(year[0]) if year else None
    return ZoneChange(
        _number(bias), time.fromisoformat(at), _number(day_order), _number(month), _number(weekday), fixed
    )


def _period_to_text(period: WorkingPeriod) -> str:
    weekdays = "".join(map(str, sorted(period.weekdays)))
    return f"{weekdays},{period.start_minute},{period.end_minute}"


def _period_from_text(text: str) -> WorkingPeriod:
    weekdays, start, end = text.split(",")
    return WorkingPeriod(frozenset(map(_number, weekdays)), _number(start), _number(end))


def _number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,5}", text):
        raise ValueError(f"{text!r:.20} is no number of working hours")
    return int(text)

"""Time zones as Exchange writes them: a bias and two yearly changeovers (types.xsd, SerializableTimeZone)."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LAST_OF_THE_MONTH = 5


@dataclass(frozen=True, slots=True)
class Changeover:
    """The yearly moment at which standard or daylight time begins.

    `bias`: minutes, added to the zone's. `time`: wall clock before the change. `day_order`: 1 to 4, 5 is the
    last. `month` 0: there is no changeover.
    """

    bias: int = 0
    time: time = time()
    day_order: int = 0
    month: int = 0
    weekday: str = "Sunday"

    def in_year(self, year: int) -> datetime:
        """Return the local wall-clock time of the change in a year."""
        first_weekday, days = calendar.monthrange(year, self.month)
        day = 1 + (WEEKDAYS.index(self.weekday) - first_weekday) % 7 + 7 * (self.day_order - 1)
        while day > days:
            day -= 7
        return datetime.combine(date(year, self.month, day), self.time)


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """A zone: UTC = local time + `bias` minutes + the bias of the changeover in force."""

    bias: int
    standard: Changeover = Changeover()
    daylight: Changeover = Changeover()

    def to_utc(self, local: datetime) -> datetime:
        """Return the instant of a wall-clock time without zone."""
        changeover = self.daylight if self._is_daylight(local) else self.standard
        return (local + timedelta(minutes=self.bias + changeover.bias)).replace(tzinfo=UTC)

    def _is_daylight(self, local: datetime) -> bool:
        if not self.standard.month or not self.daylight.month:
            return False
        begins, ends = self.daylight.in_year(local.year), self.standard.in_year(local.year)
        # In the south, daylight time goes over the turn of the year.
        return begins <= local < ends if begins < ends else not ends <= local < begins


@lru_cache(maxsize=256)
def zone_rules(zone: ZoneInfo, year: int) -> ZoneRules:
    """Return the rules of a zone as Exchange gives them with the working hours, in force in one year."""
    changes = _changes(zone, year)
    if len(changes) != 2:  # noqa: PLR2004  a year has a change to daylight time and one back, or Exchange says none
        return ZoneRules(bias=_minutes_behind(zone, datetime(year, 1, 1, tzinfo=UTC)))
    (first, first_bias), (second, second_bias) = changes
    # The clock is ahead in daylight time, so its bias is the smaller one.
    if first_bias < second_bias:
        daylight, standard, bias, saving = first, second, second_bias, first_bias - second_bias
    else:
        daylight, standard, bias, saving = second, first, first_bias, second_bias - first_bias
    return ZoneRules(bias, _changeover(standard, 0), _changeover(daylight, saving))


def _minutes_behind(zone: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(zone).utcoffset() or timedelta()
    return -int(offset.total_seconds() // 60)


def _changes(zone: ZoneInfo, year: int) -> list[tuple[datetime, int]]:
    """Return (wall clock before the change, bias after it) of each change of offset in a year."""
    changes = []
    instant, step = datetime(year, 1, 1, tzinfo=UTC), timedelta(minutes=30)
    end = datetime(year + 1, 1, 1, tzinfo=UTC)
    before = _minutes_behind(zone, instant)
    while instant < end:
        next_day = instant + timedelta(days=1)
        if _minutes_behind(zone, next_day) != before:
            while _minutes_behind(zone, instant) == before:
                instant += step
            changes.append(((instant - timedelta(minutes=before)).replace(tzinfo=None), _minutes_behind(zone, instant)))
            before = changes[-1][1]
        instant = next_day
    return changes


def _changeover(local: datetime, bias: int) -> Changeover:
    days = calendar.monthrange(local.year, local.month)[1]
    order = LAST_OF_THE_MONTH if local.day + 7 > days else (local.day - 1) // 7 + 1
    return Changeover(bias, local.time(), order, local.month, WEEKDAYS[local.weekday()])

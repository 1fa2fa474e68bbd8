"""The working hours of a mailbox, in its own time zone, as Exchange tells them beside the free/busy times.

Source: types.xsd, WorkingHours and SerializableTimeZone; "WorkingHours" in Microsoft's EWS reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """When a zone changes its clock, and to what (types.xsd, SerializableTimeZoneTime).

    `bias` (minutes) is added to the zone's bias from then on. `day_order` is 1 to 4, or 5 for the last `weekday`
    (Monday is 0) of `month`; with `year` the change is made once, on the day of the month that `day_order` is.
    """

    bias: int
    time: time
    day_order: int
    month: int
    weekday: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class MailboxZone:
    """A time zone: UTC is the local time plus `bias` minutes plus the bias of the change in force."""

    bias: int
    standard: ZoneChange
    daylight: ZoneChange


@dataclass(frozen=True, slots=True)
class WorkingPeriod:
    """Working time of some weekdays (Monday is 0): minutes after local midnight, [start_minute, end_minute)."""

    weekdays: frozenset[int]
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The zone of a mailbox and its working periods."""

    zone: MailboxZone
    periods: tuple[WorkingPeriod, ...]

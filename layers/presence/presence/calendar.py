"""What is known of somebody's calendar: entries with times and a status, and the reading that brought them.

There is no subject and no location here, on purpose: what is not in the type can't be logged, stored or published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from presence.working_hours import WorkingHours


class BusyType(StrEnum):
    """The status of a calendar entry, in the words of EWS (types.xsd, LegacyFreeBusyType)."""

    FREE = "Free"
    TENTATIVE = "Tentative"
    BUSY = "Busy"
    OUT_OF_OFFICE = "OOF"
    NO_DATA = "NoData"
    WORKING_ELSEWHERE = "WorkingElsewhere"


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time [start, end), both instants in UTC.

    Raises ValueError unless start lies before end and both carry a zone.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            message = f"a window needs instants with a zone, not {self.start!r} and {self.end!r}"
            raise ValueError(message)
        if self.start >= self.end:
            message = f"a window ends after it starts, not {self.start.isoformat()} to {self.end.isoformat()}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One entry of a calendar, over [start, end), instants in UTC.

    `is_meeting`, `is_recurring`, `is_private` and `is_all_day` are None where the rights given do not show them
    (domain.md, "What can be known with which rights"). `is_kept`: it is known from an earlier reading, of a stretch
    for which Exchange has no data now.
    """

    start: datetime
    end: datetime
    busy_type: BusyType
    is_meeting: bool | None = None
    is_recurring: bool | None = None
    is_private: bool | None = None
    is_all_day: bool | None = None
    is_kept: bool = False


FOLDER_VIEW = "CalendarView"
"""The view of a reading of the calendar folder itself, named after what is asked for (types.xsd, CalendarViewType)."""


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What Exchange said of one mailbox.

    `entries` are those that overlap `window`, with their true start and end; `read_at` is when the question was sent
    (an instant in UTC): of two readings the one asked later is the newer. `endpoint` is the URL that answered, `view`
    the detail that it gave (types.xsd, FreeBusyViewType, or `FOLDER_VIEW`), `working_hours` those of the mailbox, if it
    told them.
    """

    address: str
    window: Window
    entries: tuple[CalendarEntry, ...]
    read_at: datetime
    endpoint: str
    view: str
    working_hours: WorkingHours | None = None

"""Where Exchange answers for a mailbox, but has no free/busy data for the present instant.

What was known stays, as after a failed check, and must not stay for ever: such a reading is a problem of its own, and
what is shown grows stale by the same clock (domain.md, mistake 8: missing data never becomes free time).
"""

from __future__ import annotations

from datetime import datetime

from presence.calendar import BusyType, CalendarReading
from presence.errors import Problem, ProblemKind


def has_data_at(reading: CalendarReading, instant: datetime) -> bool:
    """Tell whether a reading says anything of an instant (UTC): an entry beside "no data" is news."""
    statuses = {entry.busy_type for entry in reading.entries if entry.start <= instant < entry.end}
    return BusyType.NO_DATA not in statuses or not statuses <= {BusyType.FREE, BusyType.NO_DATA}


def no_free_busy_data(address: str) -> Problem:
    """Say that Exchange has no free/busy data of a mailbox for now."""
    return Problem(
        "NoFreeBusyData",
        ProblemKind.PASSING,
        f"Exchange has no free/busy data of {address} for now",
        "if it stays, see in Outlook whether colleagues see this mailbox's free/busy times, and whether Exchange"
        " reaches the server or the organisation that keeps them",
    )

"""Users whose stored timelines all change in the same second, with calendars as full as people's are."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.decisions import Readings, after_reading
from presence.freshness import Rules
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User

_MEETINGS = 12
_ENDPOINT = "https://mail.example.com/EWS/Exchange.asmx"


def crowd(
    size: int,
    due: datetime,
    read_at: datetime,
    length: timedelta = timedelta(minutes=30),
    pause: timedelta = timedelta(minutes=20),
) -> list[PresenceRecord]:
    """Return the records of users, read at an instant before `due`, as they stand in the table.

    Each has twelve meetings of a length, with pauses between them; the first begins at `due`.
    """
    entries = tuple(
        CalendarEntry(begin, begin + length, BusyType.BUSY)
        for begin in (due + (length + pause) * number for number in range(_MEETINGS))
    )
    start = read_at.replace(second=0, microsecond=0)
    window = Window(start - timedelta(hours=1), start + timedelta(hours=24))
    reading = CalendarReading("user@example.com", window, entries, read_at, _ENDPOINT, "FreeBusy")
    user = User("0" * 32, reading.address)
    model = after_reading(None, user, Readings(reading), DEFAULT, read_at, Rules()).record
    if model is None or model.next_at != due:
        raise ValueError("a calendar with a meeting at the instant must change there")
    chance = random.Random(size)  # noqa: S311  ids of users that nobody has to guess
    return [
        replace(model, user_id=f"{chance.getrandbits(128):032x}", address=f"user{number}@example.com", revision=1)
        for number in range(size)
    ]

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from exchange.ews.merged import MERGED_INTERVAL, check_merged
from exchange.web.bounded_xml import MalformedXml
from presence.calendar import BusyType, CalendarEntry, Window

WINDOW = Window(datetime(2026, 11, 21, 7, 10, tzinfo=UTC), datetime(2026, 11, 21, 13, 10, tzinfo=UTC))
INTERVALS = 12


def any_entry(chance: random.Random) -> CalendarEntry:
    """Return an entry in or around the window, some without length, some at the very edges of an interval."""
    start = WINDOW.start + timedelta(minutes=5 * chance.randint(-24, 96))
    length = timedelta(minutes=5 * chance.choice([0, 0, 1, 3, 6, 12, 30, 1000]))
    return CalendarEntry(start, start + length, chance.choice(list(BusyType)))


def is_near(entry: CalendarEntry, index: int) -> bool:
    """Tell whether an entry takes time of an interval, of the one before it, or of the one after it."""
    start = WINDOW.start + (index - 1) * MERGED_INTERVAL
    takes = entry.busy_type not in {BusyType.FREE, BusyType.NO_DATA}
    return takes and entry.start < start + 3 * MERGED_INTERVAL and entry.end > start


def test_what_the_string_shows_has_an_entry_near_it_or_is_a_contradiction() -> None:
    chance = random.Random(7)  # noqa: S311  it makes up calendars
    verdicts = {True: 0, False: 0}
    for _ in range(3000):
        entries = [any_entry(chance) for _ in range(chance.randint(0, 3))]
        digits = "".join(chance.choice("00000000000000000123") for _ in range(INTERVALS))
        expected = all(
            any(is_near(entry, index) for entry in entries) for index in range(INTERVALS) if digits[index] != "0"
        )
        believed = False
        with suppress(MalformedXml):
            check_merged(digits, entries, WINDOW, MERGED_INTERVAL, array_is_there=True, promised=True)
            believed = True
        assert believed is expected, (digits, entries)
        verdicts[believed] += 1
    assert min(verdicts.values()) > 300, "both are to be seen often"

"""Time zones as Windows has them: bias, change to standard time, change to daylight time."""

from __future__ import annotations

from datetime import time

from presence.working_hours import MailboxZone, WorkingPeriod, ZoneChange

SUNDAY = 6
NO_CHANGE = ZoneChange(0, time(), 0, 0, SUNDAY)
WEEKDAYS = frozenset(range(5))

ZONES = {
    "Europe/Berlin": MailboxZone(-60, ZoneChange(0, time(3), 5, 10, SUNDAY), ZoneChange(-60, time(2), 5, 3, SUNDAY)),
    "America/New_York": MailboxZone(300, ZoneChange(0, time(2), 1, 11, SUNDAY), ZoneChange(-60, time(2), 2, 3, SUNDAY)),
    "America/St_Johns": MailboxZone(210, ZoneChange(0, time(2), 1, 11, SUNDAY), ZoneChange(-60, time(2), 2, 3, SUNDAY)),
    "Australia/Sydney": MailboxZone(
        -600, ZoneChange(0, time(3), 1, 4, SUNDAY), ZoneChange(-60, time(2), 1, 10, SUNDAY)
    ),
    "Australia/Lord_Howe": MailboxZone(
        -630, ZoneChange(0, time(2), 1, 4, SUNDAY), ZoneChange(-30, time(2), 1, 10, SUNDAY)
    ),
    # Its clock skips one midnight and shows another twice.
    "America/Havana": MailboxZone(300, ZoneChange(0, time(1), 1, 11, SUNDAY), ZoneChange(-60, time(0), 2, 3, SUNDAY)),
    "Asia/Tokyo": MailboxZone(-540, NO_CHANGE, NO_CHANGE),
}
BERLIN, TOKYO = ZONES["Europe/Berlin"], ZONES["Asia/Tokyo"]
OFFICE_HOURS = (WorkingPeriod(WEEKDAYS, 8 * 60, 17 * 60),)

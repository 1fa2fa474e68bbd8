"""A calendar in a file, TOML or JSON, on which a profile is tried: times and statuses, no subjects.

`docs/profiles.md` describes it. Times without an offset are those of its time zone, a date is its midnight.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cli.document_lines import lines_told
from exchange.files import load_toml, read_text
from local.exchange.time_zones import WEEKDAYS, Changeover, zone_rules
from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.documents import Section
from presence.errors import ConfigurationError
from presence.knowledge import Knowledge
from presence.known_calendar import KnownCalendar, KnownEntry, remembered
from presence.working_hours import MailboxZone, WorkingHours, WorkingPeriod, ZoneChange

LONGEST = timedelta(days=62)
"""From the first moment that the file names to the last."""

_DAY = timedelta(days=1)
_MOMENT = timedelta(seconds=1)
_MINUTES_OF_AN_HOUR = 60
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """What the file says of a mailbox; `begins` and `ends` are the first and the last instant (UTC) that it names."""

    entries: tuple[CalendarEntry, ...]
    replies: AutomaticReplies
    working_hours: WorkingHours
    begins: datetime
    ends: datetime

    def knowledge(self, now: datetime) -> Knowledge:
        """Return what would be known if this were read at an instant (UTC)."""
        # Where the window ends nothing is known any more, so it reaches a little further than the last entry.
        window = Window(now, max(self.ends + _MOMENT, now + _DAY))
        reading = CalendarReading("", window, self.entries, now, "", "", self.working_hours)
        entries = tuple(KnownEntry(entry, "") for entry in remembered(reading, None))
        calendar = KnownCalendar(entries, window.end, reading.endpoint, reading.view, self.working_hours)
        return Knowledge(calendar, self.replies)


def read_calendar_file(path: Path) -> CalendarFile:
    """Read and check the file. Raises `ConfigurationError`: the path of the first mistake, and the reason."""
    if path.suffix.lower() != ".json":
        with lines_told(path):
            return parse_calendar(load_toml(path))
    try:
        return parse_calendar(json.loads(read_text(path)))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is no JSON: {error}") from error


def parse_calendar(document: object) -> CalendarFile:
    """Check a calendar document. Raises `ConfigurationError`."""
    root = Section(document)
    zone = _zone(root)
    entries = tuple(_entry(section, zone) for section in root.sections("entries", required=False))
    named = [instant for entry in entries for instant in (entry.start, entry.end)]
    replies = _replies(root.section("automatic_replies"), zone) if root.has("automatic_replies") else NO_REPLIES
    named += [instant for instant in (replies.start, replies.end) if instant is not None]
    if not named:
        raise root.refuse("entries", "are missing, and there are no scheduled automatic replies either")
    begins, ends = min(named), max(named)
    if ends - begins > LONGEST:
        raise root.refuse("entries", f"a profile is tried on {LONGEST.days} days at most")
    periods = (_period(root.section("working_hours")),) if root.has("working_hours") else ()
    root.finish()
    return CalendarFile(entries, replies, WorkingHours(_mailbox_zone(zone, begins.year), periods), begins, ends)


def _zone(root: Section) -> ZoneInfo:
    name = root.text("time_zone", "UTC")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # not known, a path, a folder of zones
        raise root.refuse("time_zone", f"{name!r:.60} is no time zone; write it as Europe/Berlin") from error


def _entry(section: Section, zone: ZoneInfo) -> CalendarEntry:
    start, end = _instant(section, "start", zone), _instant(section, "end", zone)
    if end < start:
        raise section.refuse("end", "lies before the start")
    entry = CalendarEntry(
        start,
        end,
        section.choice("status", BusyType),
        is_meeting=section.flag("meeting", default=False) if section.has("meeting") else None,
        is_private=section.flag("private", default=False) if section.has("private") else None,
        is_all_day=section.flag("all_day", default=False) if section.has("all_day") else None,
    )
    section.finish()
    return entry


def _replies(section: Section, zone: ZoneInfo) -> AutomaticReplies:
    start = _instant(section, "start", zone) if section.has("start") else None
    end = _instant(section, "end", zone) if section.has("end") else None
    if (start is None) is not (end is None):
        raise section.refuse("end" if end is None else "start", "is missing; give both, or neither")
    if start is not None and end is not None and end < start:
        raise section.refuse("end", "lies before the start")
    audience = section.choice("audience", Audience, Audience.ALL)
    section.finish()
    return AutomaticReplies(enabled=True, start=start, end=end, audience=audience)


def _period(section: Section) -> WorkingPeriod:
    known = {day.lower(): number for number, day in enumerate(WEEKDAYS)}
    days = section.texts("days", required=True)
    for index, day in enumerate(days):
        if day.lower() not in known:
            raise section.refuse(f"days[{index}]", f"{day!r:.40} is no weekday; use {', '.join(known)}")
    start, end = _minute(section, "start"), _minute(section, "end")
    section.finish()
    return WorkingPeriod(frozenset(known[day.lower()] for day in days), start, end)


def _minute(section: Section, key: str) -> int:
    value = section.value(key)
    try:
        clock = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError as error:
        raise section.refuse(key, "must be a time of day, such as 08:30") from error
    if clock.tzinfo is not None or clock.second or clock.microsecond:
        raise section.refuse(key, "must be a whole minute in the calendar's time_zone, such as 08:30")
    return clock.hour * _MINUTES_OF_AN_HOUR + clock.minute


def _instant(section: Section, key: str, zone: ZoneInfo) -> datetime:
    value = section.value(key)
    try:
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise section.refuse(key, "must be a date and time, such as 2026-11-23T10:00:00Z, or a date")
    try:
        instant = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        instant = datetime.min.replace(tzinfo=UTC)
    if not _EARLIEST <= instant < _LATEST:
        raise section.refuse(key, f"must lie from {_EARLIEST.year} to {_LATEST.year - 1}")
    return instant


def _mailbox_zone(zone: ZoneInfo, year: int) -> MailboxZone:
    """Return the zone as Exchange would tell it in that year."""
    rules = zone_rules(zone, year)
    return MailboxZone(rules.bias, _change(rules.standard), _change(rules.daylight))


def _change(changeover: Changeover) -> ZoneChange:
    weekday = WEEKDAYS.index(changeover.weekday)
    return ZoneChange(changeover.bias, changeover.time, changeover.day_order, changeover.month, weekday)

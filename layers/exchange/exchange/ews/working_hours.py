"""The WorkingHours of a free/busy view, read strictly, and done without where they can't be used.

They are an addition to the calendar and not a part of it: what is wrong with them never costs the entries, which are
good. So nothing here is a problem; working hours that are missing or malformed are not known, and whoever needs them
falls back (domain.md, "What can be known with which rights").
"""

from __future__ import annotations

import re
from datetime import time
from functools import lru_cache

from lxml import etree

from exchange.ews.single import only_child, only_text
from exchange.ews.soap import TYPES
from exchange.web.bounded_xml import MalformedXml
from presence.working_hours import MailboxZone, WorkingHours, WorkingPeriod, ZoneChange

_TAG = f"{{{TYPES}}}WorkingHours"
_LONGEST = 16 * 1024
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# types.xsd, DayOfWeekType.
_WEEKDAYS = {
    **{name: frozenset({number}) for number, name in enumerate(_NAMES)},
    "Day": frozenset(range(7)),
    "Weekday": frozenset(range(5)),
    "WeekendDay": frozenset({5, 6}),
}


def read_working_hours(view: etree._Element) -> WorkingHours | None:
    """Return the working hours that a FreeBusyView tells; None if it tells none, or none that follow the schema."""
    try:
        element = only_child(view, _TAG)
    except MalformedXml:
        return None
    if element is None:
        return None
    document = etree.tostring(element, with_tail=False)
    return _parse(document) if len(document) <= _LONGEST else None


@lru_cache(maxsize=256)
def _parse(document: bytes) -> WorkingHours | None:
    """Read what this module has written itself; most people of an organisation have the same working hours."""
    element = etree.fromstring(document)
    try:
        return WorkingHours(_zone(_child(element, "TimeZone")), _periods(_child(element, "WorkingPeriodArray")))
    except (MalformedXml, ValueError):
        return None


def _zone(element: etree._Element) -> MailboxZone:
    standard, daylight = (_change(_child(element, name)) for name in ("StandardTime", "DaylightTime"))
    return MailboxZone(_number(element, "Bias"), standard, daylight)


def _change(element: etree._Element) -> ZoneChange:
    at = _text(element, "Time")
    if not _TIME.fullmatch(at):
        raise MalformedXml("Time is no time of a day")
    (weekday,) = _WEEKDAYS.get(_text(element, "DayOfWeek"), frozenset())
    year = only_text(element, f"{{{TYPES}}}Year")
    return ZoneChange(
        bias=_number(element, "Bias"),
        time=time.fromisoformat(at),
        day_order=_number(element, "DayOrder"),
        month=_number(element, "Month"),
        weekday=weekday,
        year=(_number(element, "Year") or None) if year else None,
    )


def _periods(array: etree._Element) -> tuple[WorkingPeriod, ...]:
    periods = []
    for element in array:
        if element.tag != f"{{{TYPES}}}WorkingPeriod":
            raise MalformedXml("WorkingPeriodArray holds something else than WorkingPeriod")
        names = _text(element, "DayOfWeek").split()
        if not _WEEKDAYS.keys() >= set(names):
            raise MalformedXml("DayOfWeek is no list of weekdays")
        weekdays = frozenset[int]().union(*(_WEEKDAYS[name] for name in names))
        start, end = _number(element, "StartTimeInMinutes"), _number(element, "EndTimeInMinutes")
        if weekdays:
            periods.append(WorkingPeriod(weekdays, start, end))
    return tuple(periods)


def _child(parent: etree._Element, name: str) -> etree._Element:
    child = only_child(parent, f"{{{TYPES}}}{name}")
    if child is None:
        raise MalformedXml(f"{name} is missing")
    return child


def _text(parent: etree._Element, name: str) -> str:
    text = only_text(parent, f"{{{TYPES}}}{name}")
    if text is None:
        raise MalformedXml(f"{name} is missing")
    return text


def _number(parent: etree._Element, name: str) -> int:
    text = _text(parent, name)
    if not _NUMBER.fullmatch(text):
        raise MalformedXml(f"{name} is no number")
    return int(text)

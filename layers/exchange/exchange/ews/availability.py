"""The answer of GetUserAvailability, read strictly: bytes in, one calendar or one problem per mailbox out.

Subjects and locations are passed over here and go no further. Nothing that is missing ever reads as free time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from lxml import etree

from exchange.ews.merged import MERGED_INTERVAL, check_merged, entries_of_merged
from exchange.ews.problems import malformed_calendar, no_calendar_entries
from exchange.ews.response_messages import messages_in, read_each, refusal_in, response_in, usable_answer
from exchange.ews.single import children_once, text_of
from exchange.ews.soap import MESSAGES, TYPES
from exchange.ews.values import BUSY_TYPES, FLAGS, lacks_zone, read_time
from exchange.ews.working_hours import read_working_hours
from exchange.web.bounded_xml import MalformedXml
from presence.calendar import CalendarEntry, Window
from presence.errors import Problem
from presence.working_hours import WorkingHours

_VIEWS_WITH_ENTRIES = frozenset({"FreeBusy", "FreeBusyMerged", "Detailed", "DetailedMerged"})
_VIEWS_WITH_MERGED = frozenset({"FreeBusyMerged", "DetailedMerged"})
_MERGED_ONLY = "MergedOnly"
_VIEWS_WITHOUT = frozenset({"None", _MERGED_ONLY})
_SHOWN_TIME = re.compile(r"[0-9T:.Z+ -]{1,40}")
_MOST_ENTRIES = 1000
"""Of one mailbox in the time asked for; Microsoft Graph's getSchedule, over the same calendars, has the same limit."""

_MESSAGE = f"{{{MESSAGES}}}ResponseMessage"
_VIEW = f"{{{MESSAGES}}}FreeBusyView"
_VIEW_TYPE = f"{{{TYPES}}}FreeBusyViewType"
_MERGED = f"{{{TYPES}}}MergedFreeBusy"
_EVENTS = f"{{{TYPES}}}CalendarEventArray"
_EVENT = f"{{{TYPES}}}CalendarEvent"
_START = f"{{{TYPES}}}StartTime"
_END = f"{{{TYPES}}}EndTime"
_BUSY_TYPE = f"{{{TYPES}}}BusyType"
_DETAILS = f"{{{TYPES}}}CalendarEventDetails"
_OF_ITEM = (_MESSAGE, _VIEW)
_OF_VIEW = (_VIEW_TYPE, _MERGED, _EVENTS)
_OF_EVENT = (_START, _END, _BUSY_TYPE, _DETAILS)
_IS_MEETING = f"{{{TYPES}}}IsMeeting"
_IS_RECURRING = f"{{{TYPES}}}IsRecurring"
_IS_PRIVATE = f"{{{TYPES}}}IsPrivate"
_OF_DETAILS = (_IS_MEETING, _IS_RECURRING, _IS_PRIVATE)


@dataclass(frozen=True, slots=True)
class Availability:
    """The calendar of one mailbox: entries that overlap the window, with their true start and end, and the view.

    `working_hours` is None if none came that can be used.
    """

    entries: tuple[CalendarEntry, ...]
    view: str
    working_hours: WorkingHours | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, the same of each mailbox."""

    window: Window
    interval: timedelta
    takes_lists: bool


def parse_availability(
    document: bytes,
    addresses: Sequence[str],
    window: Window,
    host: str,
    interval: timedelta = MERGED_INTERVAL,
    *,
    takes_lists: bool = False,
) -> tuple[Availability | Problem, ...]:
    """Read the answer about `addresses`, in their order; what is wrong with one mailbox costs only that one.

    `host` names the server in problems; `interval` is that of the merged string that was asked for. `takes_lists`:
    where there is nothing but that string, as of a distribution list, it is read in place of entries. Raises
    `ProblemError` if the whole answer can't be used: MalformedAnswer, AnswerCountMismatch, or the response code of a
    SOAP fault.
    """
    with usable_answer(host):
        response = response_in(document, "GetUserAvailabilityResponse", host)
        items = messages_in(response, "FreeBusyResponseArray", "FreeBusyResponse")
    read = partial(_read_mailbox, asked=_Asked(window, interval, takes_lists))
    return read_each(items, addresses, host, read, malformed_calendar)


def _read_mailbox(item: etree._Element, address: str, asked: _Asked) -> Availability | Problem:
    answered = children_once(item, _OF_ITEM)
    message = answered.get(_MESSAGE)
    if message is None:
        raise MalformedXml("FreeBusyResponse has no ResponseMessage")
    refusal = refusal_in(message, f"Exchange answers for {address}")
    if refusal is not None:
        return refusal
    view = answered.get(_VIEW)
    if view is None:
        raise MalformedXml("FreeBusyResponse has no FreeBusyView")
    parts = children_once(view, _OF_VIEW)
    kind = text_of(parts.get(_VIEW_TYPE), view)
    window, interval = asked.window, asked.interval
    if kind == _MERGED_ONLY and asked.takes_lists:
        told = entries_of_merged(text_of(parts.get(_MERGED), view), window, interval)
        return Availability(tuple(told), kind, read_working_hours(view))
    if kind in _VIEWS_WITHOUT:
        return no_calendar_entries(address, kind)
    if kind not in _VIEWS_WITH_ENTRIES:
        raise MalformedXml("FreeBusyView has no FreeBusyViewType" if not kind else "FreeBusyViewType is unknown")
    events = parts.get(_EVENTS)
    read = [] if events is None else _read_events(events)
    # An entry without length claims no time.
    entries = [entry for entry in read if entry.start < window.end and entry.end > max(window.start, entry.start)]
    merged = text_of(parts.get(_MERGED), view)
    entries += check_merged(
        merged, read, window, interval, array_is_there=events is not None, promised=kind in _VIEWS_WITH_MERGED
    )
    in_order = tuple(sorted(entries, key=lambda entry: (entry.start, entry.end)))
    return Availability(in_order, kind, read_working_hours(view))


def _read_events(events: etree._Element) -> list[CalendarEntry]:
    if len(events) > _MOST_ENTRIES:
        raise MalformedXml(f"CalendarEventArray has {len(events)} entries, more than {_MOST_ENTRIES}")
    if (events.text or "").strip():
        raise MalformedXml("CalendarEventArray holds text instead of entries")
    return [_read_event(event, number) for number, event in enumerate(events, start=1)]


def _read_event(event: etree._Element, number: int) -> CalendarEntry:
    if event.tag != _EVENT:
        raise MalformedXml(f"element {number} of CalendarEventArray is no CalendarEvent")
    parts = children_once(event, _OF_EVENT, number)
    start = _read_time(text_of(parts.get(_START), event, number), "StartTime", number)
    end = _read_time(text_of(parts.get(_END), event, number), "EndTime", number)
    if end < start:
        raise MalformedXml(f"CalendarEvent {number}: EndTime lies before StartTime")
    text = text_of(parts.get(_BUSY_TYPE), event, number)
    if text is None:
        raise MalformedXml(f"CalendarEvent {number} has no BusyType")
    busy_type = BUSY_TYPES.get(text)
    if busy_type is None:
        raise MalformedXml(f"CalendarEvent {number}: BusyType is unknown")
    details = parts.get(_DETAILS)
    if details is None:
        return CalendarEntry(start, end, busy_type)
    shown = children_once(details, _OF_DETAILS, number)
    return CalendarEntry(
        start,
        end,
        busy_type,
        is_meeting=_read_flag(text_of(shown.get(_IS_MEETING), details, number), "IsMeeting", number),
        is_recurring=_read_flag(text_of(shown.get(_IS_RECURRING), details, number), "IsRecurring", number),
        is_private=_read_flag(text_of(shown.get(_IS_PRIVATE), details, number), "IsPrivate", number),
    )


def _read_time(text: str | None, name: str, number: int) -> datetime:
    if text is None:
        raise MalformedXml(f"CalendarEvent {number} has no {name}")
    try:
        return read_time(text)
    except ValueError:
        pass
    shown = f" {text!r}" if _SHOWN_TIME.fullmatch(text) else ""
    zone = "has no time zone" if lacks_zone(text) else "is no date and time"
    raise MalformedXml(f"CalendarEvent {number}: {name}{shown} {zone}")


def _read_flag(text: str | None, name: str, number: int) -> bool | None:
    if text is None:
        return None
    flag = FLAGS.get(text)
    if flag is None:
        raise MalformedXml(f"CalendarEvent {number}: {name} is neither true nor false")
    return flag

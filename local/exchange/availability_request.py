"""GetUserAvailability, the request: what is asked for, read strictly.

Shapes: messages.xsd and types.xsd of Exchange Web Services. Limits: 100 mailboxes a request, a window of 62 days, a
merged interval of 5 to 1,440 minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from local.exchange.email_addresses import read_email_address
from local.exchange.soap import SoapFaultError, of_messages, of_types
from local.exchange.time_zones import WEEKDAYS, Changeover, ZoneRules
from local.exchange.xml_reading import Reader, SchemaViolationError, boolean, date_time, integer, one_of, text

if TYPE_CHECKING:
    from lxml import etree

REQUEST = of_messages("GetUserAvailabilityRequest")
MAXIMUM_MAILBOXES = 100
MAXIMUM_WINDOW = timedelta(days=62)
INTERVALS = range(5, 1441)
DEFAULT_INTERVAL = 30
YEARS = range(1900, 4501)
MAXIMUM_BIAS = 24 * 60

_ATTENDEE_TYPES = frozenset({"Organizer", "Required", "Optional", "Room", "Resource"})
_DAYS_OF_WEEK = frozenset({*WEEKDAYS, "Day", "Weekday", "WeekendDay"})
_VIEWS = frozenset({"None", "MergedOnly", "FreeBusy", "FreeBusyMerged", "Detailed", "DetailedMerged"})


@dataclass(frozen=True, slots=True)
class AvailabilityRequest:
    """What was asked: addresses in order, a window in UTC, minutes of the merged view, and the view."""

    addresses: tuple[str, ...]
    start: datetime
    end: datetime
    interval: int
    view: str


def read_request(request: etree._Element, *, has_time_zone_context: bool) -> AvailabilityRequest:
    """Read a GetUserAvailabilityRequest. SchemaViolationError or SoapFaultError say what is wrong with it."""
    parts = Reader(request)
    zone = parts.optional(of_types("TimeZone"))
    mailboxes = list(_mailboxes(parts.required(of_messages("MailboxDataArray"))))
    options = parts.optional(of_types("FreeBusyViewOptions"))
    suggestions = parts.optional(of_types("SuggestionsViewOptions"))
    parts.end()
    if suggestions is not None or options is None:
        raise SoapFaultError("ErrorInvalidRequest", "This server gives free/busy times and makes no suggestions.")
    if zone is None and not has_time_zone_context:
        raise SoapFaultError("ErrorTimeZone", "The request has no time zone.")
    rules = _zone(zone) if zone is not None else ZoneRules(bias=0)
    if not mailboxes:
        raise SoapFaultError("ErrorMailboxDataArrayEmpty", "There are no target users in the MailboxDataArray.")
    if len(mailboxes) > MAXIMUM_MAILBOXES:
        raise SoapFaultError(
            "ErrorMailboxDataArrayTooBig",
            f"The allowed size of the MailboxDataArray = {MAXIMUM_MAILBOXES}; the actual size = {len(mailboxes)}.",
        )
    return _options(options, tuple(mailboxes), rules)


def _mailboxes(array: etree._Element) -> list[str]:
    addresses = []
    array_parts = Reader(array)
    for data in array_parts.many(of_types("MailboxData")):
        parts = Reader(data)
        addresses.append(read_email_address(parts.required(of_types("Email"))))
        one_of(parts.required(of_types("AttendeeType")), _ATTENDEE_TYPES)
        if (conflicts := parts.optional(of_types("ExcludeConflicts"))) is not None:
            boolean(conflicts)
        parts.end()
    array_parts.end()
    return addresses


def _options(options: etree._Element, addresses: tuple[str, ...], rules: ZoneRules) -> AvailabilityRequest:
    parts = Reader(options)
    window = Reader(parts.required(of_types("TimeWindow")))
    start, end = (_instant(date_time(window.required(of_types(name))), rules) for name in ("StartTime", "EndTime"))
    window.end()
    interval = parts.optional(of_types("MergedFreeBusyIntervalInMinutes"))
    requested_view = parts.optional(of_types("RequestedView"))
    parts.end()
    minutes = integer(interval) if interval is not None else DEFAULT_INTERVAL
    view = one_of(requested_view, _VIEWS) if requested_view is not None else "FreeBusy"
    if end <= start:
        raise SoapFaultError("ErrorInvalidTimeInterval", "The end of the TimeWindow is not after its start.")
    if end - start > MAXIMUM_WINDOW:
        raise SoapFaultError(
            "ErrorTimeIntervalTooBig",
            f"The allowed limit of the TimeWindow = {MAXIMUM_WINDOW.days} days; the actual limit = "
            f"{math.ceil((end - start) / timedelta(days=1))} days.",
        )
    if minutes not in INTERVALS:
        raise SoapFaultError("ErrorInvalidMergedFreeBusyInterval", f"An interval of {minutes} minutes is not valid.")
    if view == "None":
        raise SoapFaultError("ErrorInvalidFreeBusyViewType", "The view None can't be asked for.")
    return AvailabilityRequest(addresses, start, end, minutes, view)


def _instant(value: datetime, rules: ZoneRules) -> datetime:
    if value.year not in YEARS:
        raise SoapFaultError("ErrorInvalidTimeInterval", f"The year {value.year} is beyond what a calendar holds.")
    return rules.to_utc(value) if value.tzinfo is None else value.astimezone(UTC)


def _zone(zone: etree._Element) -> ZoneRules:
    parts = Reader(zone)
    bias = integer(parts.required(of_types("Bias")))
    standard, daylight = (_changeover(parts.required(of_types(name))) for name in ("StandardTime", "DaylightTime"))
    parts.end()
    if max(abs(each) for each in (bias, standard.bias, daylight.bias)) > MAXIMUM_BIAS:
        raise SoapFaultError("ErrorTimeZone", "The time zone's bias is more than a day.")
    return ZoneRules(bias, standard, daylight)


def _changeover(changeover: etree._Element) -> Changeover:
    parts = Reader(changeover)
    bias = integer(parts.required(of_types("Bias")))
    clock = text(parts.required(of_types("Time"))).strip()
    day_order, month = (integer(parts.required(of_types(name))) for name in ("DayOrder", "Month"))
    weekday = one_of(parts.required(of_types("DayOfWeek")), _DAYS_OF_WEEK)
    parts.optional(of_types("Year"))
    parts.end()
    try:
        local = time.fromisoformat(clock)
    except ValueError as error:
        raise SchemaViolationError(f"The Time '{clock}' of a time zone is no time of day.") from error
    if month and not (month in range(1, 13) and day_order in range(1, 6) and weekday in WEEKDAYS):
        raise SoapFaultError("ErrorTimeZone", f"There is no changeover on {weekday} {day_order} of month {month}.")
    return Changeover(bias, local, day_order, month, weekday)

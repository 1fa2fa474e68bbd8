"""GetUserAvailability, the answer: free/busy times out of the calendars, shaped as messages.xsd and types.xsd say."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from local.exchange.organisation import Access, BusyStatus, Mailbox, Occurrence, TimeForm
from local.exchange.soap import MESSAGES, TYPES, SoapFaultError, back_off_element, namespace, response_message
from local.exchange.time_zones import WEEKDAYS, Changeover, zone_rules
from local.exchange.xml_writing import boolean, utc_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.exchange.availability_request import AvailabilityRequest
    from local.exchange.organisation import Organisation

MOST_MEMBERS = 100
_WITHOUT_DETAILS = {"Detailed": "FreeBusy", "DetailedMerged": "FreeBusyMerged"}
# Digit of the merged view, in the order in which one status hides another.
_DIGITS = {
    BusyStatus.FREE: "0",
    BusyStatus.WORKING_ELSEWHERE: "4",
    BusyStatus.TENTATIVE: "1",
    BusyStatus.BUSY: "2",
    BusyStatus.OUT_OF_OFFICE: "3",
    BusyStatus.NO_DATA: "4",
}
_RANKS = {status: rank for rank, status in enumerate(_DIGITS)}


def answer(request: AvailabilityRequest, organisation: Organisation, serves: Callable[[str], bool]) -> str:
    """Return the response element: one answer for each address, in the order in which they were asked for.

    `serves` tells whether this server knows of an address at all. SoapFaultError for a mailbox that fails requests.
    """
    responses = "".join(
        f"<FreeBusyResponse>{_response(address, request, organisation, serves)}</FreeBusyResponse>"
        for address in request.addresses
    )
    return (
        f"<GetUserAvailabilityResponse{namespace(MESSAGES)}><FreeBusyResponseArray>{responses}"
        "</FreeBusyResponseArray></GetUserAvailabilityResponse>"
    )


def _response(
    address: str, request: AvailabilityRequest, organisation: Organisation, serves: Callable[[str], bool]
) -> str:
    mailbox = organisation.mailbox(address)
    if mailbox is None or not serves(address):
        return response_message("ErrorMailRecipientNotFound", f"Unable to resolve e-mail address {address} to a user.")
    if mailbox.problem is not None:
        message = "The availability of this mailbox can't be given."
        if mailbox.fails_requests:
            raise SoapFaultError(mailbox.problem, message, mailbox.back_off)
        return response_message(mailbox.problem, message, inside=back_off_element(mailbox.back_off, MESSAGES))
    if mailbox.access is Access.NONE:
        return response_message("ErrorNoFreeBusyAccess", "The caller does not have access to free/busy data.")
    if mailbox.members:
        return _list(mailbox, request, organisation)
    occurrences = organisation.entries(address, request.start, request.end)
    return response_message() + _view(mailbox, occurrences, request)


def _list(mailbox: Mailbox, request: AvailabilityRequest, organisation: Organisation) -> str:
    """Return what is told of a distribution list: the merged string of all members, and no entry of anybody."""
    if len(mailbox.members) > MOST_MEMBERS:
        return response_message("ErrorFreeBusyDLLimitReached", "The distribution list has too many members.")
    occurrences = [
        occurrence
        for member in mailbox.members
        if organisation.mailbox(member) is not None
        for occurrence in organisation.entries(member, request.start, request.end)
    ]
    parts = _typed("FreeBusyViewType", "MergedOnly") + _typed("MergedFreeBusy", _merged(occurrences, request))
    return response_message() + f"<FreeBusyView>{parts}</FreeBusyView>"


def _view(mailbox: Mailbox, occurrences: list[Occurrence], request: AvailabilityRequest) -> str:
    view = request.view if mailbox.access is Access.DETAILED else _WITHOUT_DETAILS.get(request.view, request.view)
    view = mailbox.view or view
    parts = [_typed("FreeBusyViewType", view)]
    if "Merged" in view:
        parts.append(_typed("MergedFreeBusy", _merged(occurrences, request)))
    if view not in {"MergedOnly", "None"}:
        detailed = view.startswith("Detailed")
        events = "".join(_event(mailbox, occurrence, detailed=detailed) for occurrence in occurrences)
        parts.append(_typed("CalendarEventArray", events))
        if mailbox.tells_working_hours:
            parts.append(_typed("WorkingHours", _working_hours(mailbox, request.start)))
    return f"<FreeBusyView>{''.join(parts)}</FreeBusyView>"


def _typed(tag: str, content: str) -> str:
    """Return an element of the types namespace, self-closed when it is empty, as Exchange writes it."""
    opening = f"<{tag}{namespace(TYPES)}"
    return f"{opening}>{content}</{tag}>" if content else f"{opening}/>"


def _event(mailbox: Mailbox, occurrence: Occurrence, *, detailed: bool) -> str:
    start, end = (_wire(instant, mailbox) for instant in (occurrence.start, occurrence.end))
    details = _details(occurrence) if detailed else ""
    return (
        f"<CalendarEvent><StartTime>{start}</StartTime><EndTime>{end}</EndTime>"
        f"<BusyType>{occurrence.entry.status}</BusyType>{details}</CalendarEvent>"
    )


def _wire(instant: datetime, mailbox: Mailbox) -> str:
    if mailbox.time_form is TimeForm.OFFSET:
        return instant.astimezone(mailbox.zone).isoformat()
    return utc_time(instant)


def _details(occurrence: Occurrence) -> str:
    entry = occurrence.entry
    # A private entry comes with its subject, as it does from some servers: nobody may rely on its absence.
    return (
        f"<CalendarEventDetails><ID>{occurrence.entry_id}</ID><Subject>{escape(entry.subject)}</Subject>"
        f"<Location>{escape(entry.location)}</Location><IsMeeting>{boolean(entry.is_meeting)}</IsMeeting>"
        f"<IsRecurring>{boolean(entry.recurrence is not None)}</IsRecurring><IsException>false</IsException>"
        f"<IsReminderSet>true</IsReminderSet><IsPrivate>{boolean(entry.is_private)}</IsPrivate></CalendarEventDetails>"
    )


def _merged(occurrences: list[Occurrence], request: AvailabilityRequest) -> str:
    step = timedelta(minutes=request.interval)
    digits = []
    for number in range(math.ceil((request.end - request.start) / step)):
        start = request.start + number * step
        end = min(start + step, request.end)
        statuses = [each.entry.status for each in occurrences if each.start < end and each.end > start]
        digits.append(_DIGITS[max(statuses, key=_RANKS.__getitem__, default=BusyStatus.FREE)])
    return "".join(digits)


def _working_hours(mailbox: Mailbox, start: datetime) -> str:
    rules = zone_rules(mailbox.zone, start.year)
    hours = mailbox.working_hours
    days = " ".join(WEEKDAYS[day] for day in hours.weekdays)
    return (
        f"<TimeZone><Bias>{rules.bias}</Bias>"
        f"<StandardTime>{_write_changeover(rules.standard)}</StandardTime>"
        f"<DaylightTime>{_write_changeover(rules.daylight)}</DaylightTime></TimeZone>"
        f"<WorkingPeriodArray><WorkingPeriod><DayOfWeek>{days}</DayOfWeek>"
        f"<StartTimeInMinutes>{hours.start_minute}</StartTimeInMinutes>"
        f"<EndTimeInMinutes>{hours.end_minute}</EndTimeInMinutes></WorkingPeriod></WorkingPeriodArray>"
    )


def _write_changeover(changeover: Changeover) -> str:
    return (
        f"<Bias>{changeover.bias}</Bias><Time>{changeover.time.isoformat()}</Time>"
        f"<DayOrder>{changeover.day_order}</DayOrder><Month>{changeover.month}</Month>"
        f"<DayOfWeek>{changeover.weekday}</DayOfWeek>"
    )

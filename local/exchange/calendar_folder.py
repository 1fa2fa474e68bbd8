"""FindItem with a CalendarView: the entries of a calendar folder, to whoever may open it.

Shapes: messages.xsd and types.xsd of Exchange Web Services. Limits: a view of two years, a thousand entries an answer
(EWSFindCountLimit of the default throttling policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from local.exchange.email_addresses import read_email_address_type
from local.exchange.organisation import Entry, Mailbox, Occurrence, Organisation
from local.exchange.soap import MESSAGES, TYPES, SoapFaultError, namespace, of_messages, of_types, response_message
from local.exchange.xml_reading import Reader, SchemaViolationError, one_of
from local.exchange.xml_writing import boolean, utc_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from local.exchange.accounts import Account

REQUEST = of_messages("FindItem")
LONGEST_VIEW = timedelta(days=731)
MOST_ENTRIES = 1000
_CANCELLED_MEETING = 7  # MS-OXOCAL: a meeting (1) that was received (2) and cancelled (4)
_MEETING = 3
_SHAPES = frozenset({"IdOnly", "Default", "AllProperties"})


@dataclass(frozen=True, slots=True)
class FolderRequest:
    """What was asked: whose calendar (None: the caller's), from when to when, how many entries, and which fields."""

    address: str | None
    start: datetime
    end: datetime
    most: int
    fields: frozenset[str]


def read_request(request: etree._Element) -> FolderRequest:
    """Read a FindItem. SchemaViolationError or SoapFaultError say what is wrong with it."""
    if request.get("Traversal") != "Shallow":
        raise SoapFaultError("ErrorInvalidRequest", "Only the folder itself can be searched.")
    parts = Reader(request)
    fields = _fields(parts.required(of_messages("ItemShape")))
    view = parts.optional(of_messages("CalendarView"))
    folders = Reader(parts.required(of_messages("ParentFolderIds")))
    folder = folders.optional(of_types("DistinguishedFolderId"))
    if view is None or folder is None or folder.get("Id") != "calendar":
        raise SoapFaultError("ErrorInvalidRequest", "This server gives a view of calendars, by their distinguished id.")
    folders.end()
    parts.end()
    start, end = _time(view, "StartDate"), _time(view, "EndDate")
    if end < start:
        raise SoapFaultError("ErrorCalendarEndDateIsEarlierThanStartDate", "EndDate is earlier than StartDate.")
    if end - start > LONGEST_VIEW:
        raise SoapFaultError("ErrorCalendarViewRangeTooBig", "The view spans more than two years.")
    most = view.get("MaxEntriesReturned")
    if most is not None and not (most.isdigit() and int(most)):
        raise SoapFaultError("ErrorInvalidPagingMaxRows", "MaxEntriesReturned must be 1 or more.")
    return FolderRequest(_mailbox(folder), start, end, min(int(most or MOST_ENTRIES), MOST_ENTRIES), fields)


def answer(
    asked: FolderRequest,
    caller: Account,
    impersonated: str | None,
    organisation: Organisation,
    serves: Callable[[str], bool],
) -> str:
    """Return the response element with the entries, or with the code for which there are none.

    A folder is its owner's, and of those whom the owner lets read it; to others it is not there.
    """
    address = asked.address or impersonated or caller.address or ""
    mailbox = organisation.mailbox(address) if serves(address) else None
    if mailbox is None or mailbox.members:
        return _response(response_message("ErrorNonExistentMailbox", "No mailbox with such guid.", tag=_TAG))
    if mailbox.problem is not None:
        return _response(response_message(mailbox.problem, "The mailbox can't be opened.", tag=_TAG))
    owner = impersonated or caller.address
    is_owner = owner is not None and owner.lower() == mailbox.address.lower()
    if not is_owner and (impersonated is not None or caller.reference not in mailbox.readers):
        return _response(response_message("ErrorFolderNotFound", "The specified folder could not be found.", tag=_TAG))
    return _response(response_message(tag=_TAG, inside=_folder(asked, mailbox, organisation)))


_TAG = "FindItemResponseMessage"


def _response(message: str) -> str:
    return f"<FindItemResponse{namespace(MESSAGES)}><ResponseMessages>{message}</ResponseMessages></FindItemResponse>"


def _folder(asked: FolderRequest, mailbox: Mailbox, organisation: Organisation) -> str:
    occurrences = organisation.entries(mailbox.address, asked.start, asked.end)
    shown = occurrences[: asked.most]
    is_last = boolean(len(shown) == len(occurrences))
    items = "".join(_item(occurrence, asked.fields) for occurrence in shown)
    return (
        f'<RootFolder TotalItemsInView="{len(occurrences)}" IncludesLastItemInRange="{is_last}">'
        f"<Items{namespace(TYPES)}>{items}</Items></RootFolder>"
    )


def _item(occurrence: Occurrence, fields: frozenset[str]) -> str:
    entry = occurrence.entry
    item_id = f"{occurrence.entry_id}.{int(occurrence.start.timestamp())}" if entry.recurrence else occurrence.entry_id
    values = "".join(
        f"<{name}>{value}</{name}>" for name, value in _values(occurrence, entry).items() if name in fields
    )
    return f'<CalendarItem><ItemId Id="{escape(item_id)}" ChangeKey="1"/>{values}</CalendarItem>'


def _values(occurrence: Occurrence, entry: Entry) -> Mapping[str, str]:
    """Return all that can be asked for, in the order of the schema."""
    state = 0 if not entry.is_meeting else _CANCELLED_MEETING if entry.is_cancelled else _MEETING
    return {
        "Subject": escape(entry.subject),
        "Sensitivity": "Private" if entry.is_private else "Normal",
        "Start": utc_time(occurrence.start),
        "End": utc_time(occurrence.end),
        "IsAllDayEvent": boolean(entry.is_all_day),
        "LegacyFreeBusyStatus": str(entry.status),
        "Location": escape(entry.location),
        "IsMeeting": boolean(entry.is_meeting),
        "IsCancelled": boolean(entry.is_cancelled),
        "IsRecurring": boolean(entry.recurrence is not None),
        "CalendarItemType": "Single" if entry.recurrence is None else "Occurrence",
        "MyResponseType": entry.response if entry.is_meeting else "Unknown",
        "AppointmentState": str(state),
    }


def _fields(shape: etree._Element) -> frozenset[str]:
    parts = Reader(shape)
    if one_of(parts.required(of_types("BaseShape")), _SHAPES) != "IdOnly":
        raise SoapFaultError("ErrorInvalidRequest", "This server gives the fields that are named, and no others.")
    properties = parts.optional(of_types("AdditionalProperties"))
    parts.end()
    if properties is None:
        return frozenset()
    paths = Reader(properties)
    names = [path.get("FieldURI", "") for path in paths.many(of_types("FieldURI"))]
    paths.end()
    if unknown := [name for name in names if name.partition(":")[0] not in {"item", "calendar"}]:
        raise SoapFaultError("ErrorInvalidPropertyRequest", f"The property {unknown[0]!r} can't be asked for.")
    return frozenset(name.partition(":")[2] for name in names)


def _mailbox(folder: etree._Element) -> str | None:
    parts = Reader(folder)
    mailbox = parts.optional(of_types("Mailbox"))
    parts.end()
    return None if mailbox is None else read_email_address_type(mailbox)


def _time(view: etree._Element, name: str) -> datetime:
    try:
        value = datetime.fromisoformat(view.get(name, ""))
    except ValueError as error:
        raise SchemaViolationError(f"The '{name}' attribute is invalid or missing.") from error
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

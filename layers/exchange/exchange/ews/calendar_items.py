"""The answer of FindItem about a calendar folder, read strictly: one page of entries, or the problem of the mailbox.

Subjects and locations are not asked for; if they come all the same they are passed over here and go no further.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from exchange.ews.problems import malformed_calendar
from exchange.ews.response_messages import messages_in, read_each, refusal_in, response_in, usable_answer
from exchange.ews.single import only_child, only_text
from exchange.ews.soap import MESSAGES, TYPES
from exchange.ews.values import BUSY_TYPES, FLAGS, lacks_zone, read_time
from exchange.web.bounded_xml import MalformedXml
from presence.calendar import CalendarEntry
from presence.errors import Problem

_ROOT = f"{{{MESSAGES}}}RootFolder"
_ITEMS = f"{{{TYPES}}}Items"
_ITEM = f"{{{TYPES}}}CalendarItem"
_ID = f"{{{TYPES}}}ItemId"

# types.xsd, CalendarItemTypeType: whether it is of a series. A calendar view has occurrences in a master's place.
_OF_A_SERIES = {"Single": False, "Occurrence": True, "Exception": True}
# types.xsd, ResponseTypeType.
_RESPONSES = frozenset({"Unknown", "Organizer", "Tentative", "Accept", "Decline", "NoResponseReceived"})
_SENSITIVITIES = frozenset({"Normal", "Personal", "Private", "Confidential"})
_NUMBER = re.compile(r"[0-9]{1,6}")
_CANCELLED = 4
"""The bit of AppointmentState that says so (MS-OXOCAL, 2.2.1.10, asfCanceled)."""
_LONGEST_ID = 2048


@dataclass(frozen=True, slots=True)
class FolderItem:
    """An entry of a calendar folder; one that does not `stand` was cancelled, or the owner of the mailbox declined."""

    item_id: str
    entry: CalendarEntry
    stands: bool


@dataclass(frozen=True, slots=True)
class FolderPage:
    """Entries in the order in which they came; `is_last`: there are no more of them."""

    items: tuple[FolderItem, ...]
    is_last: bool


def parse_calendar_items(document: bytes, address: str, host: str) -> FolderPage | Problem:
    """Read the answer about the calendar folder of one mailbox; `host` names the server in problems.

    Raises `ProblemError` if the answer is none: MalformedAnswer, AnswerCountMismatch, or the code of a SOAP fault.
    """
    with usable_answer(host):
        response = response_in(document, "FindItemResponse", host)
        messages = messages_in(response, "ResponseMessages", "FindItemResponseMessage")
    (page,) = read_each(messages, [address], host, _read_message, malformed_calendar)
    return page


def _read_message(message: etree._Element, address: str) -> FolderPage | Problem:
    refusal = refusal_in(message, f"Exchange answers for {address}")
    if refusal is not None:
        return refusal
    root = only_child(message, _ROOT)
    if root is None:
        raise MalformedXml("FindItemResponseMessage has no RootFolder")
    is_last = FLAGS.get(root.get("IncludesLastItemInRange", ""))
    if is_last is None:
        # Of a calendar that is cut off somewhere nobody may be called free.
        raise MalformedXml("RootFolder does not say whether it includes the last item")
    items = only_child(root, _ITEMS)
    if items is None:
        raise MalformedXml("RootFolder has no Items")
    if (items.text or "").strip():
        raise MalformedXml("Items holds text instead of entries")
    return FolderPage(tuple(_read_item(item, number) for number, item in enumerate(items, start=1)), is_last)


def _read_item(item: etree._Element, number: int) -> FolderItem:
    if item.tag != _ITEM:
        raise MalformedXml(f"element {number} of Items is no CalendarItem")
    start, end = (_time(item, name, number) for name in ("Start", "End"))
    if end < start:
        raise MalformedXml(f"CalendarItem {number}: End lies before Start")
    busy_type = BUSY_TYPES.get(_required(item, "LegacyFreeBusyStatus", number))
    if busy_type is None:
        raise MalformedXml(f"CalendarItem {number}: LegacyFreeBusyStatus is unknown")
    sensitivity = _one_of(item, "Sensitivity", _SENSITIVITIES, number)
    entry = CalendarEntry(
        start,
        end,
        busy_type,
        is_meeting=_flag(item, "IsMeeting", number),
        is_recurring=_is_recurring(item, number),
        is_private=None if sensitivity is None else sensitivity == "Private",
        is_all_day=_flag(item, "IsAllDayEvent", number),
    )
    return FolderItem(
        _item_id(item, number), entry, stands=not _is_cancelled(item, number) and not _is_declined(item, number)
    )


def _item_id(item: etree._Element, number: int) -> str:
    child = only_child(item, _ID, number)
    item_id = "" if child is None else child.get("Id", "")
    if not 0 < len(item_id) <= _LONGEST_ID:
        raise MalformedXml(f"CalendarItem {number} has no ItemId that can be used")
    return item_id


def _is_cancelled(item: etree._Element, number: int) -> bool:
    state = _text(item, "AppointmentState", number)
    if state is not None and not _NUMBER.fullmatch(state):
        raise MalformedXml(f"CalendarItem {number}: AppointmentState is no number")
    return _flag(item, "IsCancelled", number) is True or (state is not None and bool(int(state) & _CANCELLED))


def _is_declined(item: etree._Element, number: int) -> bool:
    return _one_of(item, "MyResponseType", _RESPONSES, number) == "Decline"


def _is_recurring(item: etree._Element, number: int) -> bool | None:
    kind = _text(item, "CalendarItemType", number)
    if kind is None:
        return None
    is_recurring = _OF_A_SERIES.get(kind)
    if is_recurring is None:
        raise MalformedXml(f"CalendarItem {number}: CalendarItemType is neither a single entry nor an occurrence")
    return is_recurring


def _time(item: etree._Element, name: str, number: int) -> datetime:
    text = _required(item, name, number)
    with suppress(ValueError):
        return read_time(text)
    what = "has no time zone" if lacks_zone(text) else "is no date and time"
    raise MalformedXml(f"CalendarItem {number}: {name} {what}")


def _flag(item: etree._Element, name: str, number: int) -> bool | None:
    text = _text(item, name, number)
    if text is None:
        return None
    flag = FLAGS.get(text)
    if flag is None:
        raise MalformedXml(f"CalendarItem {number}: {name} is neither true nor false")
    return flag


def _one_of(item: etree._Element, name: str, known: frozenset[str], number: int) -> str | None:
    text = _text(item, name, number)
    if text is not None and text not in known:
        raise MalformedXml(f"CalendarItem {number}: {name} is unknown")
    return text


def _required(item: etree._Element, name: str, number: int) -> str:
    text = _text(item, name, number)
    if text is None:
        raise MalformedXml(f"CalendarItem {number} has no {name}")
    return text


def _text(item: etree._Element, name: str, number: int) -> str | None:
    return only_text(item, f"{{{TYPES}}}{name}", number)

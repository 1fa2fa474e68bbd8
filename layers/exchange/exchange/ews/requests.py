"""The requests, built with exchangelib's classes and not sent by them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import time, timedelta
from types import SimpleNamespace

from exchangelib import DELEGATE, IMPERSONATION, EWSDateTime, Identity, Mailbox
from exchangelib.fields import FieldPath
from exchangelib.items import ID_ONLY, SHALLOW, CalendarItem
from exchangelib.properties import (
    CalendarView,
    DaylightTime,
    DistinguishedFolderId,
    FreeBusyViewOptions,
    MailboxData,
    SendingAs,
    StandardTime,
    TimeWindow,
    TimeZone,
)
from exchangelib.services import FindItem, GetMailTips, GetUserAvailability, GetUserOofSettings
from exchangelib.util import add_xml_child, safe_xml_value
from exchangelib.version import EXCHANGE_2013, Version
from lxml import etree

from exchange.ews.merged import MERGED_INTERVAL
from exchange.ews.soap import MESSAGES, TYPES
from exchange.mailbox_access import Access, ExchangeVersion
from presence.calendar import Window

# WorkingElsewhere came with 2013; an older server refuses the version and is asked again with the next.
REQUEST_VERSIONS = ("Exchange2013", "Exchange2007_SP1")
# A server refuses more (decision 0016).
MOST_RECIPIENTS = 50
# MailTips came with 2010; what is older knows no such version.
_MAIL_TIPS_VERSION = "Exchange2010"
_OOF_VERSION = "Exchange2007_SP1"
_MAIL_TIPS = "OutOfOfficeMessage InvalidRecipient"
_VIEW = "DetailedMerged"
_VIEW_OF_TIMES = "FreeBusyMerged"
_SUNDAY = 7
# Nothing that says what an entry is about: what is not asked for is not sent.
_ITEM_FIELDS = (
    "start",
    "end",
    "legacy_free_busy_status",
    "is_all_day",
    "is_meeting",
    "is_cancelled",
    "type",
    "my_response_type",
    "appointment_state",
    "sensitivity",
)


def request_versions(version: ExchangeVersion | None) -> tuple[str, ...]:
    """Return the versions in which calendars are asked for, to be tried in this order.

    Of an Exchange that the operator knows it is one, the lowest that has what is needed; else there are two.
    """
    if version is None:
        return REQUEST_VERSIONS
    return REQUEST_VERSIONS[:1] if version.has_working_elsewhere else REQUEST_VERSIONS[1:]


def availability_request(
    addresses: Sequence[str],
    window: Window,
    version: str,
    interval: timedelta = MERGED_INTERVAL,
    *,
    times_only: bool = False,
) -> bytes:
    """Return the SOAP request for the calendars of up to 100 mailboxes, in their order.

    `interval` is that of the merged string, 5 minutes at least. The zone is one without bias, so that times come in
    UTC. The detailed view is asked for, unless it is to be `times_only`: rights allow at most what they allow, and its
    merged string tells "no data" from "nothing planned".
    """
    change = {"bias": 0, "time": time(0), "occurrence": 1, "iso_month": 1, "weekday": _SUNDAY}
    service = GetUserAvailability(protocol=_protocol())
    start, end = _whole_seconds(window)
    payload = service.get_payload(
        mailbox_data=[MailboxData(email=addresses[0], attendee_type="Required", exclude_conflicts=False)],
        timezone=TimeZone(bias=0, standard_time=StandardTime(**change), daylight_time=DaylightTime(**change)),
        free_busy_view_options=FreeBusyViewOptions(
            time_window=TimeWindow(start=start, end=end),
            merged_free_busy_interval=int(interval.total_seconds()) // 60,
            requested_view=_VIEW_OF_TIMES if times_only else _VIEW,
        ),
    )
    _repeat_mailbox(payload, addresses[1:])
    return bytes(service.wrap(payload, api_version=version))


def _repeat_mailbox(payload: etree._Element, addresses: Sequence[str]) -> None:
    """Repeat the one mailbox of a request for other addresses: exchangelib would take many times as long."""
    (array,) = payload.iter(f"{{{MESSAGES}}}MailboxDataArray")
    (written,) = array
    for address in addresses:
        other = deepcopy(written)
        (email,) = other.iter(f"{{{TYPES}}}Address")
        email.text = safe_xml_value(address)
        array.append(other)


def calendar_folder_request(address: str, window: Window, most: int, access: Access, version: str) -> bytes:
    """Return the SOAP request for the first `most` entries of one mailbox's calendar that lie in the window.

    A calendar view brings single entries and each occurrence of a series, in the order of their starts. The folder is
    named by what it is for and never by its name, which is another in each language.
    """
    service = FindItem(account=_account(address, access))
    start, end = _whole_seconds(window)
    payload = service.get_payload(
        folders=[DistinguishedFolderId(id="calendar", mailbox=Mailbox(email_address=address))],
        additional_fields=[FieldPath(field=CalendarItem.get_field_by_fieldname(name)) for name in _ITEM_FIELDS],
        restriction=None,
        order_fields=None,
        query_string=None,
        shape=ID_ONLY,
        depth=SHALLOW,
        calendar_view=CalendarView(start=start, end=end, max_items=most),
        page_size=None,
    )
    return bytes(service.wrap(payload, api_version=version))


def mail_tips_request(addresses: Sequence[str]) -> bytes:
    """Return the SOAP request for what a sender to up to 50 mailboxes is told of their automatic replies, in order.

    The schema requires a SendingAs. Exchange judges delivery restrictions by it, which are not asked for; whether the
    internal or the external reply is told depends on the account that asks. So it is the first mailbox: an address of
    the organisation for certain, where the account may have none.
    """
    service = GetMailTips(protocol=_protocol())
    payload = service.get_payload(
        recipients=[Mailbox(email_address=address) for address in addresses],
        sending_as=SendingAs(email_address=addresses[0]),
        mail_tips_requested=None,  # exchangelib would write it under another name
    )
    add_xml_child(payload, "m:MailTipsRequested", _MAIL_TIPS)
    return bytes(service.wrap(payload, api_version=_MAIL_TIPS_VERSION))


def oof_settings_request(address: str) -> bytes:
    """Return the SOAP request for the automatic replies of one mailbox, in the name of its owner."""
    service = GetUserOofSettings(account=_account(address, Access.IMPERSONATION))
    return bytes(service.wrap(service.get_payload(Mailbox(email_address=address)), api_version=_OOF_VERSION))


def _account(address: str, access: Access) -> SimpleNamespace:
    """Return what a service wants of an account: in whose name it asks."""
    protocol = _protocol()
    return SimpleNamespace(
        protocol=protocol,
        version=protocol.version,
        access_type=IMPERSONATION if access is Access.IMPERSONATION else DELEGATE,
        identity=Identity(primary_smtp_address=address),
        default_timezone=None,
    )


def _protocol() -> SimpleNamespace:
    """Return what a service wants of a protocol: its version, and its account to impersonate, of which it has none."""
    return SimpleNamespace(version=Version(build=EXCHANGE_2013), credentials=None)


def _whole_seconds(window: Window) -> tuple[EWSDateTime, EWSDateTime]:
    """Return the window without fractions of seconds, no shorter than it is."""
    start, end = window.start.replace(microsecond=0), window.end.replace(microsecond=0)
    end = end if end == window.end else end + timedelta(seconds=1)
    return EWSDateTime.from_datetime(start), EWSDateTime.from_datetime(end)

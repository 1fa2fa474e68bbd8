"""The requests, built with exchangelib's classes and not sent by them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import time, timedelta
from types import SimpleNamespace

from exchangelib import IMPERSONATION, EWSDateTime, Identity, Mailbox
from exchangelib.properties import (
    DaylightTime,
    FreeBusyViewOptions,
    MailboxData,
    SendingAs,
    StandardTime,
    TimeWindow,
    TimeZone,
)
from exchangelib.services import GetMailTips, GetUserAvailability, GetUserOofSettings
from exchangelib.util import add_xml_child, safe_xml_value
from exchangelib.version import EXCHANGE_2013, Version
from lxml import etree

from exchange.ews.merged import MERGED_INTERVAL
from exchange.ews.soap import MESSAGES, TYPES
from presence.calendar import Window

MOST_MAILBOXES = 100
# WorkingElsewhere came with 2013; an older server refuses the version and is asked again with the next.
REQUEST_VERSIONS = ("Exchange2013", "Exchange2007_SP1")
# A server refuses more (decision 0016).
MOST_RECIPIENTS = 50
# MailTips came with 2010; what is older knows no such version.
_MAIL_TIPS_VERSION = "Exchange2010"
_OOF_VERSION = "Exchange2007_SP1"
_MAIL_TIPS = "OutOfOfficeMessage InvalidRecipient"
_VIEW = "DetailedMerged"
_SUNDAY = 7


def availability_request(addresses: Sequence[str], window: Window, version: str) -> bytes:
    """Return the SOAP request for the calendars of up to 100 mailboxes, in their order.

    The zone is one without bias, so that times come in UTC. The detailed view is asked for: rights allow at most what
    they allow, and its merged string tells "no data" from "nothing planned".
    """
    change = {"bias": 0, "time": time(0), "occurrence": 1, "iso_month": 1, "weekday": _SUNDAY}
    service = GetUserAvailability(protocol=_protocol())
    end = window.end.replace(microsecond=0)
    payload = service.get_payload(
        mailbox_data=[MailboxData(email=addresses[0], attendee_type="Required", exclude_conflicts=False)],
        timezone=TimeZone(bias=0, standard_time=StandardTime(**change), daylight_time=DaylightTime(**change)),
        free_busy_view_options=FreeBusyViewOptions(
            time_window=TimeWindow(
                start=EWSDateTime.from_datetime(window.start.replace(microsecond=0)),
                end=EWSDateTime.from_datetime(end if end == window.end else end + timedelta(seconds=1)),
            ),
            merged_free_busy_interval=int(MERGED_INTERVAL.total_seconds()) // 60,
            requested_view=_VIEW,
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
    protocol = _protocol()
    account = SimpleNamespace(
        protocol=protocol,
        version=protocol.version,
        access_type=IMPERSONATION,
        identity=Identity(primary_smtp_address=address),
        default_timezone=None,
    )
    service = GetUserOofSettings(account=account)
    return bytes(service.wrap(service.get_payload(Mailbox(email_address=address)), api_version=_OOF_VERSION))


def _protocol() -> SimpleNamespace:
    """Return what a service wants of a protocol: its version, and its account to impersonate, of which it has none."""
    return SimpleNamespace(version=Version(build=EXCHANGE_2013), credentials=None)

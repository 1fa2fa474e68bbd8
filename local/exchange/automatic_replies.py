"""GetUserOofSettings and GetMailTips: what Exchange tells about automatic replies."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from local.exchange.email_addresses import read_email_address, read_email_address_type
from local.exchange.soap import MESSAGES, TYPES, SoapFaultError, namespace, of_messages, of_types, response_message
from local.exchange.xml_reading import Reader, SchemaViolationError, text
from local.exchange.xml_writing import boolean, utc_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from local.exchange.organisation import Mailbox, Organisation, OutOfOffice

OOF_REQUEST = of_messages("GetUserOofSettingsRequest")
MAIL_TIPS_REQUEST = of_messages("GetMailTips")
MAXIMUM_RECIPIENTS = 50
DISABLED = "ErrorMailTipsDisabled"

# types.xsd, MailTipTypes
_MAIL_TIPS = frozenset(
    {
        "All",
        "OutOfOfficeMessage",
        "MailboxFullStatus",
        "CustomMailTip",
        "ExternalMemberCount",
        "TotalMemberCount",
        "MaxMessageSize",
        "DeliveryRestriction",
        "ModerationStatus",
        "InvalidRecipient",
        "Scope",
        "RecipientSuggestions",
    }
)
# What Exchange gives as duration where replies were never scheduled: some day to the next.
_NO_SCHEDULE = timedelta(days=1)


def read_oof_request(request: etree._Element) -> str:
    """Return the address that a GetUserOofSettingsRequest asks about. SchemaViolationError when it is malformed."""
    parts = Reader(request)
    address = read_email_address(parts.required(of_types("Mailbox")))
    parts.end()
    return address


def oof_answer(mailbox: Mailbox, now: datetime) -> str:
    """Return the response element with the settings of one mailbox."""
    oof = mailbox.out_of_office
    state = "Disabled" if oof is None else "Enabled" if oof.start is None else "Scheduled"
    internal = escape(oof.message) if oof is not None and oof.internal else ""
    external = escape(oof.message) if oof is not None else ""
    audience = oof.audience if oof is not None else "None"
    start = (oof and oof.start) or now.replace(minute=0, second=0, microsecond=0)
    end = (oof and oof.end) or start + _NO_SCHEDULE
    return (
        f"<GetUserOofSettingsResponse{namespace(MESSAGES)}>{response_message()}"
        f"<OofSettings{namespace(TYPES)}><OofState>{state}</OofState><ExternalAudience>{audience}</ExternalAudience>"
        f"{_duration(start, end)}<InternalReply><Message>{internal}</Message></InternalReply>"
        f"<ExternalReply><Message>{external}</Message></ExternalReply></OofSettings>"
        "<AllowExternalOof>All</AllowExternalOof></GetUserOofSettingsResponse>"
    )


def read_mail_tips_request(request: etree._Element) -> tuple[str, ...]:
    """Return the recipients that GetMailTips asks about. SchemaViolationError or SoapFaultError when it is wrong."""
    parts = Reader(request)
    read_email_address_type(parts.required(of_messages("SendingAs")))
    recipients = Reader(parts.required(of_messages("Recipients")))
    addresses = tuple(read_email_address_type(mailbox) for mailbox in recipients.many(of_types("Mailbox")))
    recipients.end()
    requested = text(parts.required(of_messages("MailTipsRequested"))).split()
    parts.end()
    if unknown := set(requested) - _MAIL_TIPS:
        raise SchemaViolationError(f"The 'MailTipsRequested' element is invalid - The value '{unknown.pop()}'.")
    if not addresses:
        raise SoapFaultError("ErrorMissingRecipients", "There are no recipients.")
    if len(addresses) > MAXIMUM_RECIPIENTS:
        raise SoapFaultError("ErrorInvalidRequest", f"{len(addresses)} recipients; {MAXIMUM_RECIPIENTS} are allowed.")
    return addresses


def mail_tips_answer(
    addresses: tuple[str, ...], organisation: Organisation, serves: Callable[[str], bool], now: datetime
) -> str:
    """Return the response element, one message for each recipient, in order.

    An unknown recipient is no error to GetMailTips: its tips say that it is invalid.
    """
    messages = "".join(
        response_message(
            tag="MailTipsResponseMessageType",
            inside=_mail_tips(address, organisation.mailbox(address) if serves(address) else None, now),
        )
        for address in addresses
    )
    return (
        f'<GetMailTipsResponse ResponseClass="Success"{namespace(MESSAGES)}><ResponseCode>NoError</ResponseCode>'
        f"<ResponseMessages>{messages}</ResponseMessages></GetMailTipsResponse>"
    )


def mail_tips_refusal(code: str) -> str:
    """Return the response element of an organisation that has switched MailTips off, or a fault for another refusal."""
    if code != DISABLED:
        raise SoapFaultError(code, "This server does not offer MailTips.")
    return (
        f'<GetMailTipsResponse ResponseClass="Error"{namespace(MESSAGES)}><MessageText>MailTips are disabled.'
        f"</MessageText><ResponseCode>{code}</ResponseCode><DescriptiveLinkKey>0</DescriptiveLinkKey>"
        "</GetMailTipsResponse>"
    )


def _mail_tips(address: str, mailbox: Mailbox | None, now: datetime) -> str:
    name = escape(mailbox.name) if mailbox is not None else ""
    oof = _out_of_office(mailbox.out_of_office, now) if mailbox is not None else ""
    return (
        f'<MailTips xmlns:t="{TYPES}"><t:RecipientAddress><t:Name>{name}</t:Name>'
        f"<t:EmailAddress>{escape(address)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType></t:RecipientAddress>"
        f"<t:PendingMailTips/>{oof}<t:InvalidRecipient>{boolean(mailbox is None)}</t:InvalidRecipient></MailTips>"
    )


def _out_of_office(oof: OutOfOffice | None, now: datetime) -> str:
    """Return the tip; without replies to people inside at this moment it is there too, with an empty message."""
    if oof is None or not oof.internal or not oof.active_at(now):
        return "<t:OutOfOffice><t:ReplyBody><t:Message/></t:ReplyBody></t:OutOfOffice>"
    duration = _duration(oof.start, oof.end, "t:") if oof.start and oof.end else ""
    return (
        f"<t:OutOfOffice><t:ReplyBody><t:Message>{escape(oof.message)}</t:Message></t:ReplyBody>{duration}"
        "</t:OutOfOffice>"
    )


def _duration(start: datetime, end: datetime, prefix: str = "") -> str:
    return (
        f"<{prefix}Duration><{prefix}StartTime>{utc_time(start)}</{prefix}StartTime>"
        f"<{prefix}EndTime>{utc_time(end)}</{prefix}EndTime></{prefix}Duration>"
    )
